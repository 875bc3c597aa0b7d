"""The device's policy, accepted by an emulated AWS IoT and attached to a certificate, and what it allows.

Follows the AWS IoT Core developer guide, "AWS IoT Core policies" and "Thing policy variables".
"""

import json
import unittest

from iam import allows
from moto import mock_aws
from support import ACCOUNT, BASE, DEVICE, REGION, SESSION, TOPIC, pivitals_cloud

PLACE = ("--region", REGION, "--account", ACCOUNT)
ARN = f"arn:aws:iot:{REGION}:{ACCOUNT}:"
LEN_MAX = 2048


def policy(config: str, *options: str) -> str:
    return pivitals_cloud("policy", BASE + config, *options)


def lets(text: str, action: str, resource: str, thing: str = DEVICE, attached: str = "true") -> bool:
    """Whether a policy lets a certificate that belongs to `thing` do this."""
    document = json.loads(text.replace("${iot:Connection.Thing.ThingName}", thing))
    return allows(document, action, ARN + resource, {"iot:Connection.Thing.IsAttached": attached})


class Policy(unittest.TestCase):
    def test_it_is_accepted_and_can_be_attached(self):
        with mock_aws():
            iot = SESSION.client("iot")
            certificate = iot.create_keys_and_certificate(setAsActive=True)["certificateArn"]
            for number, config in enumerate(["", "rule = fleet_1\n", "topic = x/{client_id}/{metric}\n"]):
                name, text = f"policy-{number}", policy(config)
                iot.create_policy(policyName=name, policyDocument=text)
                iot.attach_policy(policyName=name, target=certificate)
                kept = iot.get_policy(policyName=name)["policyDocument"]
                self.assertEqual(json.loads(kept), json.loads(text))
                self.assertLessEqual(len("".join(kept.split())), LEN_MAX)
            attached = iot.list_attached_policies(target=certificate)["policies"]
            self.assertEqual([one["policyName"] for one in attached], ["policy-0", "policy-1", "policy-2"])

    def test_it_is_that_of_the_template(self):
        template = pivitals_cloud("cloudformation", BASE, "--json")
        [resource] = [one for one in json.loads(template)["Resources"].values() if one["Type"] == "AWS::IoT::Policy"]
        # The template's texts are for `Fn::Sub`, which takes `${!x}` for `${x}`.
        text = json.dumps(resource["Properties"]["PolicyDocument"])
        for variable, value in [("Partition", "aws"), ("Region", REGION), ("AccountId", ACCOUNT)]:
            text = text.replace(f"${{AWS::{variable}}}", value)
        resolved = json.loads(text.replace("${!", "${"), object_hook=lambda one: one.get("Fn::Sub", one))
        self.assertEqual(resolved, json.loads(policy("", *PLACE)))

    def test_a_device_may_connect_as_itself_and_publish_on_its_own_topics_and_nothing_else(self):
        text = policy("", *PLACE)
        for action, resource, expected in [
            ("iot:Connect", f"client/{DEVICE}", True),
            ("iot:Connect", "client/pi-8", False),
            ("iot:Publish", f"topic/{TOPIC}", True),
            ("iot:Publish", f"topic/{TOPIC}/x", False),
            ("iot:Publish", "topic/pivitals/pi-8/metrics", False),
            ("iot:Publish", f"topic/$aws/rules/PiVitals/{TOPIC}", False),
            ("iot:RetainPublish", f"topic/{TOPIC}", False),
            ("iot:Subscribe", f"topicfilter/{TOPIC}", False),
            ("iot:Receive", f"topic/{TOPIC}", False),
        ]:
            self.assertEqual(lets(text, action, resource), expected, (action, resource))
        self.assertFalse(lets(text, "iot:Connect", f"client/{DEVICE}", attached="false"))
        self.assertFalse(lets(text, "iot:Publish", f"topic/{TOPIC}", thing="pi-8"))

    def test_basic_ingest_is_allowed_instead_of_the_topic(self):
        text = policy("rule = fleet_1\n", *PLACE)
        self.assertTrue(lets(text, "iot:Publish", f"topic/$aws/rules/fleet_1/{TOPIC}"))
        self.assertFalse(lets(text, "iot:Publish", f"topic/$aws/rules/fleet_2/{TOPIC}"))
        self.assertFalse(lets(text, "iot:Publish", f"topic/{TOPIC}"))
