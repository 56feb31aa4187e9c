//! The hand-over as a Python module.

use std::fmt::Write as _;

use super::{
    Handover, RegionNodes, Versions,
    quote::{python, python_list},
};

/// What the module does with the values in front of it.
const MODULE: &str = include_str!("../../assets/handover/module.py");

impl Handover {
    /// Returns a standalone module, which needs no file next to it.
    pub fn python(&self) -> String {
        let version = env!("CARGO_PKG_VERSION");
        let mut text = format!("# Quokka cluster {}, written by muster {version}.\n", self.cluster);
        text += "#\n#     from this_module import context\n#     qc = context()\n#\n";
        text +=
            "# It holds addresses: export it again after the cluster was stopped and started.\n";
        for note in &self.notes {
            // A name is text from a file: nothing of it may end the comment.
            let note: String = note.chars().filter(|symbol| !symbol.is_control()).collect();
            text.extend(["# Note: ", &note, "\n"]);
        }
        text + "\n" + &self.values() + "\n\n" + MODULE
    }

    fn values(&self) -> String {
        let mut text = String::new();
        let mut set = |name: &str, value: &str| {
            // Writing to a String can't fail.
            let _ = writeln!(text, "{name} = {value}");
        };
        set("_CLUSTER", &python(self.cluster.as_str()));
        set("_INSTANCE_IDS", &python_list(&self.instance_ids()));
        set("_PUBLIC_IPS", &python_list(&self.public_ips()));
        set("_PRIVATE_IPS", &python_list(&self.private_ips()));
        set("_CPU_COUNT", &self.cpu_count.to_string());
        set("_SPILL_DIR", &python(&self.spill_dir));
        set("_RAY_CLIENT", &address(&self.endpoint(|ports| ports.client)));
        set("_REDIS", &address(&self.endpoint(|ports| ports.redis)));
        set("_FORWARDED", if self.forwarded.is_some() { "True" } else { "False" });
        set("_NODES_RUN", &nodes_run(self.versions.as_ref()));
        let install = self.versions.as_ref().map(Versions::install);
        set("_INSTALL", &python(&install.unwrap_or_default()));
        text += "\nregion_info = {\n";
        text.extend(self.regions.iter().map(region));
        text + "}\n"
    }
}

fn address((host, port): &(String, u16)) -> String {
    format!("({}, {port})", python(host))
}

fn nodes_run(versions: Option<&Versions>) -> String {
    let Some(versions) = versions else { return "{}".to_owned() };
    let known = [
        ("Python", Some(&versions.python)),
        ("ray", versions.ray.as_ref()),
        ("pyquokka", versions.pyquokka.as_ref()),
    ];
    let pairs: Vec<_> = known
        .into_iter()
        .filter_map(|(name, version)| Some(format!("{}: {}", python(name), python(version?))))
        .collect();
    format!("{{{}}}", pairs.join(", "))
}

fn region(nodes: &RegionNodes) -> String {
    let texts = |list: Vec<String>| python_list(&list);
    let ids: Vec<_> = nodes.instance_ids.iter().map(ToString::to_string).collect();
    let public: Vec<_> = nodes.public_ips.iter().map(ToString::to_string).collect();
    let private: Vec<_> = nodes.private_ips.iter().map(ToString::to_string).collect();
    format!(
        "    {}: {{\n        'instance_ids': {},\n        'public_ips': {},\n        \
         'private_ips': {},\n        'vcpu_per_node': {},\n    }},\n",
        python(nodes.region.as_str()),
        texts(ids),
        texts(public),
        texts(private),
        nodes.vcpu_per_node
    )
}
