"""A CloudFormation template, really created in an emulated account.

Follows the CloudFormation user guide, "Template reference" (intrinsic functions and pseudo parameters), and
the resource types' own pages. moto creates what it knows and reports CREATE_COMPLETE of anything: topic rules,
alarms, metric filters and subscriptions, which it passes over, are created here from the same template,
through the services' own API.
"""

import json
import re
from typing import Any

import yaml

STACK = "pivitals"
# What moto's CloudFormation passes over.
BY_API = ("AWS::IoT::TopicRule", "AWS::CloudWatch::Alarm", "AWS::Logs::MetricFilter", "AWS::SNS::Subscription")
PLACEHOLDER = re.compile(r"\$\{(!?)([^}]+)\}")


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: `!Sub x` is `{"Fn::Sub": "x"}`."""


def short_form(loader: Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    """One of the intrinsic functions, whatever it is called."""
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", short_form)


def load(text: str) -> dict[str, Any]:
    """A template in YAML as CloudFormation reads it."""
    return yaml.load(text, Loader)  # noqa: S506, a safe loader with tags


def decapitalised(value: Any) -> Any:
    """The template's `TopicRulePayload` as the API has it: `RoleArn` is `roleArn` there."""
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: decapitalised(item) for key, item in value.items()}
    return [decapitalised(item) for item in value] if isinstance(value, list) else value


class Stack:
    """A template's resources in an account."""

    def __init__(self, session: Any, account: str, text: str, **parameters: str) -> None:
        self.session = session
        self.text = text
        self.template = load(text)
        self.resources: dict[str, dict[str, Any]] = {}
        self.values = {
            "AWS::AccountId": account,
            "AWS::Region": session.region_name,
            "AWS::Partition": "aws",
            "AWS::StackName": STACK,
            "AWS::URLSuffix": "amazonaws.com",
        }
        for name, parameter in self.template.get("Parameters", {}).items():
            self.values[name] = parameters[name] if name in parameters else parameter["Default"]
        conditions = self.template.get("Conditions", {})
        self.resources = {
            name: resource
            for name, resource in self.template["Resources"].items()
            if "Condition" not in resource or self.holds(conditions[resource["Condition"]])
        }
        self.parameters = parameters
        self.physical: dict[str, str] = {}

    def create(self) -> None:
        """Creates all resources; one that is not created is an error."""
        cloudformation = self.session.client("cloudformation")
        cloudformation.create_stack(
            StackName=STACK,
            TemplateBody=self.text,
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in self.parameters.items()],
        )
        status = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"]
        if status != "CREATE_COMPLETE":
            raise AssertionError(status)
        for resource in cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]:
            # Those that were passed over are listed without a name.
            if name := resource.get("LogicalResourceId"):
                self.physical[name] = resource.get("PhysicalResourceId") or self.named(name)
        self.put_policies()
        for name, resource in self.resources.items():
            if resource["Type"] in BY_API:
                self.create_by_api(name, resource["Type"], self.properties(name))
        missing = set(self.resources) - set(self.physical)
        if missing:
            raise AssertionError(f"not created: {missing}")

    def holds(self, condition: dict[str, Any]) -> bool:
        """One of the template's conditions."""
        [(function, argument)] = condition.items()
        if function == "Fn::Not":
            return not self.holds(argument[0])
        if function == "Fn::Equals":
            return self.resolved(argument[0]) == self.resolved(argument[1])
        raise ValueError(f"{function} is not known here")

    def put_policies(self) -> None:
        """All policies once more, as this program resolves them: those of a stack moto writes as Python does, and
        its ARN of a log group is another than CloudFormation's.
        """
        iam, iot = self.session.client("iam"), self.session.client("iot")
        for name in self.of_type("AWS::IAM::Role"):
            role, properties = self.physical[name], self.properties(name)
            trust = json.dumps(properties["AssumeRolePolicyDocument"])
            iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust)
            for policy in properties.get("Policies", []):
                document = json.dumps(policy["PolicyDocument"])
                iam.put_role_policy(RoleName=role, PolicyName=policy["PolicyName"], PolicyDocument=document)
        for name in self.of_type("AWS::IoT::Policy"):
            document = json.dumps(self.properties(name)["PolicyDocument"])
            iot.create_policy_version(policyName=self.physical[name], policyDocument=document, setAsDefault=True)

    def named(self, name: str) -> str:
        """What the template calls a resource that moto has no name for: those of AWS IoT."""
        [key] = {"PolicyName", "ThingTypeName", "ThingName"} & set(self.resources[name]["Properties"])
        return self.substituted(self.resources[name]["Properties"][key])

    def create_by_api(self, name: str, kind: str, properties: dict[str, Any]) -> None:
        if kind == "AWS::IoT::TopicRule":
            payload = decapitalised(properties["TopicRulePayload"])
            rule = properties.get("RuleName", f"{STACK}_{name}")
            self.session.client("iot").create_topic_rule(ruleName=rule, topicRulePayload=payload)
            self.physical[name] = rule
        elif kind == "AWS::CloudWatch::Alarm":
            alarm = properties.get("AlarmName", f"{STACK}-{name}")
            tags = {"Tags": properties["Tags"]} if "Tags" in properties else {}
            self.session.client("cloudwatch").put_metric_alarm(**{**properties, **tags, "AlarmName": alarm})
            self.physical[name] = alarm
        elif kind == "AWS::SNS::Subscription":
            self.physical[name] = self.session.client("sns").subscribe(**properties)["SubscriptionArn"]
        else:
            filter_name = properties.get("FilterName", f"{STACK}-{name}")
            self.session.client("logs").put_metric_filter(
                logGroupName=properties["LogGroupName"],
                filterName=filter_name,
                filterPattern=properties["FilterPattern"],
                metricTransformations=[
                    transformation
                    | {"dimensions": {item["key"]: item["value"] for item in transformation["dimensions"]}}
                    if "dimensions" in transformation
                    else transformation
                    for transformation in decapitalised(properties["MetricTransformations"])
                ],
            )
            self.physical[name] = filter_name

    def of_type(self, kind: str) -> list[str]:
        """The logical names of all resources of a type."""
        return [name for name, resource in self.resources.items() if resource["Type"] == kind]

    def properties(self, name: str) -> dict[str, Any]:
        """A resource's properties, with all that they refer to."""
        return self.resolved(self.resources[name].get("Properties", {}))

    def resolved(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.resolved(item) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(function, argument)] = value.items()
            if function == "Ref":
                return self.reference(argument)
            if function == "Fn::GetAtt":
                return self.attribute(*argument)
            if function == "Fn::Sub":
                return self.substituted(argument)
            if function == "Fn::Join":
                return argument[0].join(self.resolved(argument[1]))
            if function.startswith("Fn::"):
                raise ValueError(f"{function} is not known here")
        return {key: self.resolved(item) for key, item in value.items()}

    def substituted(self, argument: Any) -> str:
        text, values = (argument, {}) if isinstance(argument, str) else (argument[0], self.resolved(argument[1]))

        def replaced(match: re.Match[str]) -> str:
            if match[1]:
                return f"${{{match[2]}}}"
            if match[2] in values:
                return str(values[match[2]])
            resource, _, attribute = match[2].partition(".")
            return self.attribute(resource, attribute) if attribute else str(self.reference(resource))

        return PLACEHOLDER.sub(replaced, text)

    def reference(self, name: str) -> Any:
        """What `Ref` gives: a parameter, or what a resource is called."""
        return self.values[name] if name in self.values else self.physical[name]

    def attribute(self, name: str, attribute: str) -> str:
        """What `GetAtt` gives."""
        kind, physical = self.resources[name]["Type"], self.physical[name]
        region, account = self.values["AWS::Region"], self.values["AWS::AccountId"]
        if (kind, attribute) == ("AWS::IAM::Role", "Arn"):
            return self.session.client("iam").get_role(RoleName=physical)["Role"]["Arn"]
        if (kind, attribute) == ("AWS::SNS::Topic", "TopicArn"):
            return physical
        if (kind, attribute) == ("AWS::SNS::Topic", "TopicName"):
            return physical.rsplit(":", 1)[-1]
        if (kind, attribute) == ("AWS::Logs::LogGroup", "Arn"):
            return f"arn:aws:logs:{region}:{account}:log-group:{physical}:*"
        if (kind, attribute) == ("AWS::IoT::TopicRule", "Arn"):
            return f"arn:aws:iot:{region}:{account}:rule/{physical}"
        if (kind, attribute) == ("AWS::SQS::Queue", "Arn"):
            return f"arn:aws:sqs:{region}:{account}:{physical.rsplit('/', 1)[-1]}"
        if (kind, attribute) == ("AWS::CloudWatch::Alarm", "Arn"):
            return f"arn:aws:cloudwatch:{region}:{account}:alarm:{physical}"
        raise ValueError(f"{attribute} of a {kind} is not known here")

    def dashboard(self) -> dict[str, Any]:
        """The one dashboard's body, as CloudWatch has it."""
        [name] = self.of_type("AWS::CloudWatch::Dashboard")
        dashboard = self.properties(name).get("DashboardName", self.physical[name])
        body = self.session.client("cloudwatch").get_dashboard(DashboardName=dashboard)["DashboardBody"]
        return json.loads(body)
