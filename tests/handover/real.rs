//! The module on the real Ray and pyquokka, where `MUSTER_QUOKKA_PYTHON` names
//! a Python that has them. Only `ray.init` is a stand-in: there is no cluster.

use std::process::Command;

use super::{Cluster, LEADER, project};
use crate::support::python::{answer, listener};
use muster::handover::{Forwarded, Ports};

const PROGRAM: &str = r#"
import ray
asked = []
ray.init = lambda address=None, **options: asked.append((address, options))
import tpch
import pyquokka.df, pyquokka.quokka_runtime as runtime, pyquokka.utils
assert type(tpch.cluster) is pyquokka.utils.EC2Cluster
assert tpch.cluster.leader_public_ip == "203.0.113.7", tpch.cluster.leader_public_ip
assert tpch.cluster.leader_private_ip == "10.1.0.10"
assert tpch.cluster.cpu_count == 4 and tpch.cluster.tags == {} and tpch.cluster.num_node == 15
(address, options), = asked
assert address.startswith("ray://127.0.0.1:"), address
assert options["runtime_env"]["py_modules"][0] == pyquokka.__file__.replace("__init__.py", "")
made = runtime.redis.Redis(host="203.0.113.7", port=6800, db=0)
assert made.connection_pool.connection_kwargs["host"] == "127.0.0.1"
other = runtime.redis.Redis(host="localhost", port=6800, db=0)
assert other.connection_pool.connection_kwargs["host"] == "localhost"

# What the nodes would be made with.
calls = []
class Remote:
    def options(self, **more): return self
    def remote(self, *args, **more): calls.append(args); return self
    def __getattr__(self, name): return self
ray.get = lambda what: [True]
for name in ("Coordinator", "Catalog", "ArrowDataset", "ReplayTaskManager", "IOTaskManager", "ExecTaskManager"):
    setattr(pyquokka.df, name, Remote())
qc = tpch.context(io_per_node=1)
assert type(qc) is pyquokka.df.QuokkaContext and qc.io_per_node == 1
managers = [args for args in calls if len(args) == 4]
assert {args[1] for args in managers} == {"10.1.0.10"}, managers
assert {args[3]["hbq_path"] for args in managers} == {"/mnt/spill/"}, managers
assert qc.get_config("hbq_path") == "/mnt/spill/"
assert tpch.cluster.leader_public_ip == "203.0.113.7"
print("as asked")
"#;

#[test]
fn the_real_pyquokka_takes_what_it_is_given() {
    let Some(python) = std::env::var_os("MUSTER_QUOKKA_PYTHON") else {
        println!("NOT RUN: MUSTER_QUOKKA_PYTHON names no Python that has Ray and pyquokka");
        return;
    };
    let [client, redis] = [(); 2].map(|()| {
        let (listener, port) = listener();
        answer(listener);
        port
    });
    let ports = Ports { client, redis, dashboard: 8265 };
    let cluster = Cluster::ready(project("/mnt/spill"), LEADER).verified();
    let handover = cluster.handover(Some(Forwarded { pid: 1, ports }));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tpch.py"), handover.python()).unwrap();
    let mut run = Command::new(python);
    let output = run.args(["-c", PROGRAM]).env("PYTHONPATH", folder.path()).output().unwrap();
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(out.contains("as asked"), "{out}{err}");
}
