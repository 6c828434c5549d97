"""What is in deploy/ is right, as Prometheus' own tools see it, and speaks of numbers that there are."""

import json
import re
import subprocess

from tests.conftest import ROOT
from tests.servers import needed

DEPLOY = ROOT / "deploy"


def test_promtool_takes_the_rules_and_the_configuration() -> None:
    promtool = needed("promtool")
    for what, file in (("rules", "prometheus-rules.yml"), ("config", "prometheus.yml")):
        checked = subprocess.run([promtool, "check", what, DEPLOY / file], capture_output=True, text=True)
        assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_rules_say_what_they_should_of_one_port_with_two_processes() -> None:
    tested = subprocess.run(
        [needed("promtool"), "test", "rules", DEPLOY / "prometheus-rules.test.yml"], capture_output=True, text=True
    )
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_rules_and_dashboard_name_only_numbers_that_there_are() -> None:
    rules = (DEPLOY / "prometheus-rules.yml").read_text()
    recorded = set(re.findall(r"record: (\S+)", rules))
    dashboard = json.loads((DEPLOY / "grafana-dashboard.json").read_text())
    asked = rules + " ".join(target["expr"] for panel in dashboard["panels"] for target in panel["targets"])
    documented = set(re.findall(r"portalwire_\w+", (ROOT / "docs/metrics.md").read_text()))
    for name in set(re.findall(r"\bportalwire[_:][\w:]+", asked)) - recorded:
        assert re.sub(r"_(bucket|count|sum)$", "", name) in documented, name


def test_every_number_is_documented() -> None:
    made = (ROOT / "realtime/metrics.py").read_text() + (ROOT / "realtime/gauges.py").read_text()
    documented = (ROOT / "docs/metrics.md").read_text()
    for name in re.findall(r'(?:Counter|Histogram|yield)\(? ?"(\w+)"', made):
        assert f"portalwire_{name}" in documented, name
