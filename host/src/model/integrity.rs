/// The result of the integrity check of the store's files.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub enum Integrity {
    /// The check has not been completed yet.
    #[default]
    Unchecked,
    /// The check found no damage, which does not prove that every value is as it was written.
    Sound,
    /// The files are damaged. The texts are the first findings.
    Damaged(Vec<String>),
}
