/// What is known of the soundness of the store's files.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub enum Integrity {
    /// They have not been looked through to the end yet.
    #[default]
    Unchecked,
    /// Nothing was found. That does not mean that every value is as it was written.
    Sound,
    /// They are damaged. These are the first findings.
    Damaged(Vec<String>),
}
