"""The Kubernetes example, as far as it can be held against something without a cluster."""

import re
import runpy
from pathlib import Path

import dagster as dg
import ruamel.yaml
from dagster._config import validate_config
from dagster_k8s import k8s_job_executor
from dagster_k8s.job import UserDefinedDagsterK8sConfig

from dbcycle_assets import load_project

PAGE = (Path(__file__).parents[2] / "docs/how-to/run-on-kubernetes.md").read_text()
FILES = dict(re.findall(r"^```\w+[^\n]* (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


def documents(name):
    """Return the documents of one of the page's YAML files."""
    return list(ruamel.yaml.YAML(typ="safe", pure=True).load_all(FILES[name]))


def config_of_the_page():
    """Return the first YAML of the page, a whole dbcycle.yaml."""
    found = re.search(r"^```yaml\n(name:.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return found.group(1)


def test_the_definitions_load(tmp_path, monkeypatch):
    """The jobs run on the executor that the page configures, and its config is one."""
    # No store is reached when definitions are loaded from a folder.
    config = config_of_the_page().replace("s3://acme-test-data/shop", str(tmp_path))
    (tmp_path / "dbcycle.yaml").write_text(config)
    (tmp_path / "definitions.py").write_text(FILES["definitions.py"])
    found = runpy.run_path(str(tmp_path / "definitions.py"))
    dg.Definitions.validate_loadable(found["defs"])
    checked = validate_config(k8s_job_executor.config_schema.config_type, found["steps"])
    assert checked.success, checked.errors
    UserDefinedDagsterK8sConfig.from_dict(found["steps"]["step_k8s_config"])


def test_every_variable_of_the_project_is_in_the_secret(tmp_path):
    """The config's variables reach the code server, the runs and the steps."""
    (tmp_path / "dbcycle.yaml").write_text(config_of_the_page())
    config = load_project(tmp_path).config
    wanted = {config.key_env, config.source.download.url_env, config.targets["test"].url_env}
    secrets = {
        each["metadata"]["name"]: set(each["stringData"]) for each in documents("secret.yaml")
    }
    (values,) = documents("values.yaml")
    (deployment,) = values["dagster-user-deployments"]["deployments"]
    launcher = values["runLauncher"]["config"]["k8sRunLauncher"]
    for given in (deployment["envSecrets"], launcher["envSecrets"]):
        assert wanted <= set().union(*(secrets[each["name"]] for each in given))
    assert "postgresql-password" in secrets[values["global"]["postgresqlSecretName"]]
    assert deployment["dagsterApiGrpcArgs"][1].startswith(
        re.search(r"^WORKDIR (\S+)$", PAGE, re.MULTILINE).group(1)
    )
