//! A list of things that are found by their names, such as interfaces and disks.

/// A thing with its name.
#[derive(Debug)]
pub struct Named<T> {
    /// The name, as the kernel gives it.
    pub name: Box<str>,
    /// What the probe knows of it.
    pub thing: T,
}

impl<T: Default> Named<T> {
    /// The index of the thing with this name. It is added if the list does not have it.
    pub fn index(things: &mut Vec<Self>, name: &str) -> usize {
        things.iter().position(|thing| &*thing.name == name).unwrap_or_else(|| {
            things.push(Self { name: name.into(), thing: T::default() });
            things.len() - 1
        })
    }
}
