/// How the document speaks of a command.
pub(in crate::http) struct About {
    /// The operation's id.
    pub(in crate::http) id: &'static str,
    /// One line.
    pub(in crate::http) summary: &'static str,
    /// The rest.
    pub(in crate::http) description: &'static str,
}
