"""What a role lets AWS IoT do: "the most common rules issue is authorization".

Follows the IAM user guide, "Policy evaluation logic" and "IAM JSON policy elements", for the operators that are
met here; and the AWS IoT Core developer guide, "Granting an AWS IoT rule the access it requires" and
"Cross-service confused deputy prevention". Anything unknown in a policy is an error.
"""

import re
from typing import Any

SERVICE = "iot.amazonaws.com"
ELEMENTS = {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}
OPERATORS = {
    "Bool": lambda value, wanted: value == str(wanted).lower(),
    "StringEquals": lambda value, pattern: value == pattern,
    "StringLike": lambda value, pattern: matches(pattern, value),
    "ArnEquals": lambda value, pattern: matches(pattern, value),
    "ArnLike": lambda value, pattern: matches(pattern, value),
}


def matches(pattern: str, value: str, flags: int = 0) -> bool:
    """IAM's wildcards: `*` any text, `?` any character."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, value, flags | re.DOTALL) is not None


def as_list(value: Any) -> list[Any]:
    """A single value stands for a list of one."""
    return value if isinstance(value, list) else [value]


def condition_holds(condition: dict[str, dict[str, Any]], context: dict[str, str]) -> bool:
    """Every key of every operator has to hold; a key that the request does not have does not."""
    keys = {key.lower(): value for key, value in context.items()}
    for operator, wanted in condition.items():
        for key, patterns in wanted.items():
            value = keys.get(key.lower())
            if value is None or not any(OPERATORS[operator](value, pattern) for pattern in as_list(patterns)):
                return False
    return True


def allows(document: dict[str, Any], action: str, resource: str | None, context: dict[str, str]) -> bool:
    """Whether a policy allows an action; of a trust policy, which has no resource, AWS IoT."""
    is_allowed = False
    for statement in as_list(document["Statement"]):
        unknown = set(statement) - ELEMENTS
        if unknown:
            raise ValueError(f"unknown in a statement: {unknown}")
        if not any(matches(pattern, action, re.IGNORECASE) for pattern in as_list(statement["Action"])):
            continue
        if resource is None:
            principal = statement["Principal"]
            if not isinstance(principal, dict) or SERVICE not in as_list(principal.get("Service", [])):
                continue
        elif not any(matches(pattern, resource) for pattern in as_list(statement["Resource"])):
            continue
        if not condition_holds(statement.get("Condition", {}), context):
            continue
        if statement["Effect"] == "Deny":
            return False
        is_allowed = True
    return is_allowed


class Roles:
    """The roles of an account, as IAM has them."""

    def __init__(self, client: Any, account: str) -> None:
        self.client = client
        self.account = account

    def refusal(self, role_arn: str, rule_arn: str, action: str, resource: str, **context: str) -> str | None:
        """Why AWS IoT may not do this with the role; None if it may."""
        name = role_arn.rsplit("/", 1)[-1]
        try:
            role = self.client.get_role(RoleName=name)["Role"]
        except self.client.exceptions.NoSuchEntityException:
            return f"the role {role_arn} does not exist"
        source = {"aws:SourceAccount": self.account, "aws:SourceArn": rule_arn}
        if role["Arn"] != role_arn or not allows(role["AssumeRolePolicyDocument"], "sts:AssumeRole", None, source):
            return f"AWS IoT may not assume the role {role_arn}"
        if not any(allows(document, action, resource, context) for document in self.documents(name)):
            return f"{role_arn} is not authorized to perform {action} on {resource}"
        return None

    def documents(self, name: str) -> list[dict[str, Any]]:
        """All policies of a role."""
        inline = self.client.list_role_policies(RoleName=name)["PolicyNames"]
        found = [self.client.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"] for policy in inline]
        for policy in self.client.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            version = self.client.get_policy(PolicyArn=policy["PolicyArn"])["Policy"]["DefaultVersionId"]
            version = self.client.get_policy_version(PolicyArn=policy["PolicyArn"], VersionId=version)
            found.append(version["PolicyVersion"]["Document"])
        return found
