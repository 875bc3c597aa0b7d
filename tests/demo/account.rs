//! What the broker saw and the agent said, added up for the closing words: facts, not assumptions.

use pivitals_broker::{Connected, Event, Version};

/// The account so far.
#[derive(Default)]
pub struct Account {
    messages: u64,
    connections: u64,
    /// The numbers of the connections that have not ended.
    open: Vec<u64>,
    faults: Vec<String>,
    last_agent_line: String,
}

impl Account {
    /// Takes note of an event; gives what is to be told about it at once. A message is told by whoever
    /// reads it.
    pub fn event(&mut self, event: &Event) -> Option<String> {
        match event {
            Event::Connected(connected) => {
                self.connections += 1;
                self.open.push(connected.conn);
                if !connected.accepted {
                    self.faults.push(format!("the broker refused a connection: {event}"));
                }
                Some(format!("broker  {}", welcome(connected)))
            }
            Event::Published(_) => {
                self.messages += 1;
                None
            }
            Event::Ping { .. } => Some(format!("broker  connection {event}")),
            Event::Disconnected { conn, cleanly, close_notify, .. } => {
                self.open.retain(|open| open != conn);
                if !(*cleanly && *close_notify) {
                    self.faults.push(format!("a connection was cut: {event}"));
                }
                Some(format!("broker  connection {event}"))
            }
            Event::TlsFailed { .. }
            | Event::Violation { .. }
            | Event::Will { .. }
            | Event::Denied { .. }
            | Event::Throttled { .. } => {
                self.faults.push(format!("the broker saw a fault of the agent, connection {event}"));
                Some(format!("broker  connection {event}"))
            }
        }
    }

    /// Takes note of a line of the agent's log.
    pub fn agent_line(&mut self, line: String) {
        self.last_agent_line = line;
    }

    /// Whether the end of a connection is still to come.
    pub fn has_open_connections(&self) -> bool {
        !self.open.is_empty()
    }

    /// All that was wrong, once the agent has ended.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = self.faults.clone();
        // What waits for an acknowledgement, only the agent knows; in its last line it tells.
        if !self.last_agent_line.ends_with(": stopped") {
            let last = &self.last_agent_line;
            faults.push(format!("expected the agent to say that all is acknowledged, it said: {last}"));
        }
        faults
    }

    /// One line about a demo without faults.
    pub fn summary(&self, samples: u64) -> String {
        let Self { messages, connections, .. } = *self;
        let goodbye = if connections > 0 { " after a DISCONNECT" } else { "" };
        format!(
            "{}, {}, {}, all acknowledged; the agent ended with exit code 0{goodbye}",
            count(samples, "sample"),
            count(messages, "message"),
            count(connections, "connection")
        )
    }
}

fn welcome(connected: &Connected) -> String {
    let version = match connected.version {
        Version::V3 => "3.1.1",
        Version::V5 => "5",
    };
    let Connected { conn, client_id, certificate_cn, .. } = connected;
    format!("connection {conn}: {client_id}, mutual TLS, certificate CN={certificate_cn}, MQTT {version}")
}

fn count(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}
