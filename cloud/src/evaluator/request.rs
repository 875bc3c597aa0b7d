//! What a device asks of AWS IoT Core, and what is known about the device.

/// The operation that a device asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action<'a> {
    /// Connect with its client id.
    Connect,
    /// Publish on this topic.
    Publish(&'a str),
    /// Publish a retained message on this topic. AWS requires [`Action::Publish`] in addition.
    RetainPublish(&'a str),
}

/// An operation with the facts that a policy can refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// The operation.
    pub action: Action<'a>,
    /// The client id of the connection.
    pub client_id: &'a str,
    /// The name of the thing that the certificate is attached to, if it is known.
    pub thing: Option<&'a str>,
}

/// The value of a policy variable or of a condition key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup<'a> {
    /// It has this value.
    Known(&'a str),
    /// It has this value or none.
    Possible(&'a str),
    /// Only AWS knows.
    Unknown,
}

impl Action<'_> {
    /// The action's name in a policy.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Connect => "iot:Connect",
            Self::Publish(_) => "iot:Publish",
            Self::RetainPublish(_) => "iot:RetainPublish",
        }
    }
}

impl Request<'_> {
    /// The end of the resource's ARN, such as `client/pi-7` or `topic/pivitals/pi-7/metrics`.
    #[must_use]
    pub fn resource(&self) -> String {
        match self.action {
            Action::Connect => format!("client/{}", self.client_id),
            Action::Publish(topic) | Action::RetainPublish(topic) => format!("topic/{topic}"),
        }
    }

    /// Looks up a variable or a condition key; names are case-insensitive.
    ///
    /// A certificate that is attached to several things stands for the one whose name is the client id. A
    /// certificate that is attached exclusively to one thing stands for it under any client id. Only AWS knows
    /// which of the two applies, so a thing with another name than the client id is [`Lookup::Possible`].
    pub fn look_up(&self, key: &str) -> Lookup<'_> {
        let is = |name: &str| key.eq_ignore_ascii_case(name);
        match self.thing {
            _ if is("iot:ClientId") => Lookup::Known(self.client_id),
            Some(thing) if is("iot:Connection.Thing.ThingName") && thing == self.client_id => {
                Lookup::Known(thing)
            }
            Some(thing) if is("iot:Connection.Thing.ThingName") => Lookup::Possible(thing),
            Some(thing) if is("iot:Connection.Thing.IsAttached") && thing == self.client_id => {
                Lookup::Known("true")
            }
            _ => Lookup::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_names_its_action_and_resource() {
        let request = |action| Request { action, client_id: "pi-7", thing: None };
        for (action, name, resource) in [
            (Action::Connect, "iot:Connect", "client/pi-7"),
            (Action::Publish("a/b"), "iot:Publish", "topic/a/b"),
            (Action::RetainPublish("a/b"), "iot:RetainPublish", "topic/a/b"),
        ] {
            assert_eq!((action.name(), request(action).resource().as_str()), (name, resource));
        }
    }
}
