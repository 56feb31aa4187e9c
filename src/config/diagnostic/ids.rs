//! Every id that the loader gives, with what it is about.

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $id:literal;)*) => {
        $($(#[$doc])* pub const $name: &str = $id;)*
        /// All of them.
        pub const ALL: &[&str] = &[$($id),*];
    };
}

ids! {
    /// More mistakes than are reported.
    TOO_MANY = "config.too-many";
    /// Neither files nor a project file to open.
    NO_FILES = "config.no-files";
    /// A file that is not there.
    FILE_MISSING = "config.file-missing";
    /// A file that the system would not give.
    FILE_UNREADABLE = "config.file-unreadable";
    /// A directory, pipe or device where a file is meant.
    NOT_A_FILE = "config.not-a-file";
    /// A file that is far too large for a config.
    FILE_TOO_LARGE = "config.file-too-large";
    /// A file that is not UTF-8.
    NOT_UTF8 = "config.not-utf8";
    /// A file without content.
    EMPTY = "config.empty";
    /// Not YAML.
    YAML_SYNTAX = "config.yaml-syntax";
    /// More than one YAML document.
    YAML_DOCUMENTS = "config.yaml-documents";
    /// An alias that can't be resolved.
    YAML_ALIAS = "config.yaml-alias";
    /// A YAML tag that has no meaning here.
    YAML_TAG = "config.yaml-tag";
    /// Too many or too deeply nested values.
    YAML_TOO_MUCH = "config.yaml-too-much";
    /// A key given twice in one map.
    DUPLICATE_KEY = "config.duplicate-key";
    /// YAML, but not what the file is meant to be.
    NOT_A_CONFIG = "config.not-a-config";
    /// A second project file among the files given.
    SEVERAL_PROJECTS = "config.several-projects";
    /// A key that nobody knows.
    UNKNOWN_KEY = "config.unknown-key";
    /// A key that is needed and not there.
    MISSING_KEY = "config.missing-key";
    /// A key that muster reads past.
    WITHOUT_EFFECT = "config.without-effect";
    /// A key that muster gives itself.
    NOT_SUPPORTED = "config.not-supported";
    /// A value of another type than the key takes.
    WRONG_TYPE = "config.wrong-type";
    /// A value of the right type that can't be.
    INVALID_VALUE = "config.invalid-value";
    /// Keys that exclude one another.
    CONFLICT = "config.conflict";
    /// `provider.type` is not `aws`.
    PROVIDER_TYPE = "config.provider-type";
    /// A name that no AWS region can have.
    REGION_SYNTAX = "config.region-syntax";
    /// A region that muster has not heard of.
    REGION_UNKNOWN = "config.region-unknown";
    /// Two configs of one region and one `cluster_name`.
    CLUSTER_TWICE = "config.cluster-twice";
    /// A `cluster_name` that can't name the nodes of a region's further config.
    CLUSTER_NAME = "config.cluster-name";
    /// A zone of another region.
    ZONE = "config.zone";
    /// `head_node_type` names nothing, or is needed.
    HEAD_NODE_TYPE = "config.head-node-type";
    /// Node types in the spelling of Ray 1.
    LEGACY = "config.legacy";
    /// No node types, so that Ray's defaults are taken.
    DEFAULT_NODE_TYPES = "config.default-node-types";
    /// `max_workers` leaves no room.
    MAX_WORKERS = "config.max-workers";
    /// Start commands that hand the nodes to Ray's autoscaler.
    AUTOSCALER = "config.autoscaler";
    /// Key names that differ.
    KEY_NAME = "config.key-name";
    /// A leader that is none of the regions.
    LEADER = "config.leader";
    /// A project name that can't name files and tags.
    PROJECT_NAME = "config.project-name";
    /// Two steps of one name.
    STEP_TWICE = "recipe.step-twice";
    /// A step that does nothing, or two things.
    STEP_ACTION = "recipe.step-action";
    /// A step that needs one which is not before it.
    STEP_NEEDS = "recipe.step-needs";
}
