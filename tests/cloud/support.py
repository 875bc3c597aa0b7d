"""An emulated account with the stack of a configuration in it, for one test.

The programs under test come by the environment; `tests/cloud/run` builds them and sets it.
"""

import functools
import logging
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import boto3
from moto import mock_aws

import rules
from boards import Board
from template import Stack

ACCOUNT = "123456789012"
REGION = "eu-west-1"
DEVICE = "pi-7"
TOPIC = f"pivitals/{DEVICE}/metrics"
NAMESPACE = "PiVitals"
# One metric of all devices, for the alarms.
FLEET = "PiVitals/Fleet"
RULE = "PiVitals"
BASE = f"client_id = {DEVICE}\nlabel = {DEVICE}\n"

# Nothing here has credentials; moto answers for every service, and lets no request through.
os.environ.update(AWS_ACCESS_KEY_ID="none", AWS_SECRET_ACCESS_KEY="none", AWS_DEFAULT_REGION=REGION)
os.environ.pop("AWS_PROFILE", None)
logging.getLogger("moto").setLevel(logging.CRITICAL)


def program(variable: str) -> Path:
    """A program under test."""
    return Path(os.environ[variable])


def pivitals_cloud(command: str, config: str, *options: str) -> str:
    """What `pivitals-cloud` prints for a configuration."""
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(config)
        file.flush()
        arguments = [program("PIVITALS_CLOUD"), command, "--config", file.name, *options]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{arguments}: {done.returncode}: {done.stderr}")
    return done.stdout


def printed(board: Board, config: str, *options: str) -> list[bytes]:
    """What `pivitals print` shows for a board, a payload a line."""
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(config)
        file.flush()
        arguments = [program("PIVITALS"), "print", "--config", file.name, "--root", board.root, *options]
        done = subprocess.run(arguments, capture_output=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{arguments}: {done.returncode}: {done.stderr.decode()}")
    return done.stdout.splitlines()


class Session(boto3.Session):
    """Makes one client a service: each has to read the service's whole model first."""

    client = functools.cache(boto3.Session.client)


SESSION = Session(region_name=REGION)


class Cloud:
    """An account in which the stack of a configuration was created, and its rules engine."""

    def __init__(self, config: str, *options: str, **parameters: str) -> None:
        self.config = BASE + config
        self.template = pivitals_cloud("cloudformation", self.config, *options)
        self.parameters = parameters
        self.mock = mock_aws()

    def __enter__(self) -> "Cloud":
        self.mock.start()
        try:
            self.stack = Stack(SESSION, ACCOUNT, self.template, **self.parameters)
            self.stack.create()
            self.engine = rules.Engine(SESSION, ACCOUNT)
        except BaseException:
            self.mock.stop()
            raise
        return self

    def __exit__(self, *_: Any) -> None:
        self.mock.stop()

    def client(self, service: str) -> Any:
        return SESSION.client(service)

    def rule(self) -> rules.Rule:
        """The one rule."""
        [rule] = self.engine.rules.values()
        return rule

    def errors(self) -> list[dict[str, Any]]:
        """What the rule's error action has been given, as its log group has it."""
        action = self.rule().error_action
        assert action is not None
        return rules.error_messages(self.client("logs"), action["cloudwatchLogs"]["logGroupName"])

    def counted(self, metric: str) -> int:
        """A metric of AWS/IoT, of the rule."""
        return self.engine.counted(metric, RuleName=self.rule().name)

    def metrics(self, namespace: str = NAMESPACE) -> list[dict[str, Any]]:
        """All metrics of a namespace that CloudWatch has."""
        return self.client("cloudwatch").list_metrics(Namespace=namespace)["Metrics"]
