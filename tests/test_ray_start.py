"""A Ray of this machine starts at once: with no process and no actor that work does not need."""

from __future__ import annotations

import json
import subprocess
import sys

ON_RAY = """
import json, psutil, ray
from sgt_data.engine.cluster import Cluster
from sgt_data.engine.ray_data_alone import one_machine
from sgt_data.engine.ray_session import ray_session

with ray_session(Cluster(workers=1)):
    with one_machine():
        rows = ray.data.range(3).map_batches(lambda batch: batch, batch_size=1).count()
    commands = [process.cmdline() for process in psutil.Process().children(recursive=True)]
    scripts = {part.rpartition("/")[2] for command in commands for part in command[:4]}
    actors = ray.util.list_named_actors(all_namespaces=True)
print(json.dumps({"rows": rows, "scripts": sorted(scripts), "actors": actors}))
"""

REPLACED = """
import json
from ray._private import node, parameter, services, utils
from ray.data._internal import stats
from ray.data._internal.execution import streaming_executor
from sgt_data.engine.ray_data_alone import one_machine
from sgt_data.engine.ray_start import few_processes

def parts():
    return [
        parameter.RayParams, node.Node.start_api_server, node.Node.start_raylet,
        utils.get_dashboard_dependency_error, streaming_executor.create_cluster_autoscaler,
        stats._StatsManager.update_execution_metrics,
    ]

before = parts()
try:
    with few_processes(), one_machine():
        changed = [old is not new for old, new in zip(before, parts())]
        raise ZeroDivisionError
except ZeroDivisionError:
    print(json.dumps([changed, [old is new for old, new in zip(before, parts())]]))
"""


def ended(program: str) -> object:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_ray_of_this_machine_has_no_process_and_no_actor_that_work_does_not_need() -> None:
    seen = ended(ON_RAY)
    assert isinstance(seen, dict)
    assert seen["rows"] == 3
    assert seen["actors"] == []
    assert {"gcs_server", "raylet"} <= set(seen["scripts"])
    assert not {"monitor.py", "dashboard.py", "log_monitor.py"} & set(seen["scripts"])


def test_what_is_replaced_in_ray_is_put_back_after_an_error_too() -> None:
    """The names are private: a version of Ray that has others is noticed here."""
    changed, restored = ended(REPLACED)  # type: ignore[misc]
    assert all(changed) and all(restored)
