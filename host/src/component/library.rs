//! The components that have decided something, or may: their bytes by digest, and their compiled
//! code, so that none is compiled twice.

use super::{Compiled, Refused, Runtime};
use crate::model::Digest;
use sha2::{Digest as _, Sha256};
use std::{
    fs,
    io::{self, Write},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// The most compiled components that are kept; those used last.
const COMPILED_MAX: usize = 16;

const BYTES: &str = "wasm";
const CODE: &str = "compiled";

/// The ending of a file that is still being written.
const DRAFT: &str = "draft";

/// A draft that was not touched for so long was left behind by a process that was killed: no
/// component takes longer to be written.
const DRAFT_AGE_MAX: Duration = Duration::from_secs(600);

/// Begins a file of compiled code. Then come the digest of the component of which it is the code,
/// the digest of the code, and the code.
const MARK: &[u8; 8] = b"holdfas2";
const DIGEST_BYTES: usize = 32;

/// Why the library cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// The file system refuses.
    #[error("the component file {file} cannot be used: {cause}")]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The file is not what its name says.
    #[error("the component file {0} is damaged: restore it, or remove it and install it again")]
    Damaged(PathBuf),
    /// It does not compile, which it once did.
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// A component in the library.
#[derive(Clone, Debug)]
pub struct LibraryEntry {
    /// Names its bytes.
    pub digest: Digest,
    /// How many they are.
    pub bytes: u64,
    /// When it was put there.
    pub since: SystemTime,
}

/// A folder of component files, each named by its digest.
///
/// Whoever can write there can make this process run what they like, as can whoever can write
/// to the program or its database: it belongs to the user of the server alone.
#[derive(Clone, Debug)]
pub struct Library {
    folder: PathBuf,
}

impl Library {
    /// The library in this folder, which is made where there is none.
    ///
    /// # Errors
    /// Where that fails.
    pub fn open(folder: PathBuf) -> Result<Self, LibraryError> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.map_err(file_error(&folder))?;
        let library = Self { folder };
        if let Err(error) = library.forget_drafts() {
            tracing::warn!(%error, "drafts that were left behind could not be removed");
        }
        Ok(library)
    }

    /// Keeps a component; it is on disk afterwards, undamaged, even if a damaged file was there.
    ///
    /// # Errors
    /// Where the file system refuses.
    pub fn keep(&self, bytes: &[u8]) -> Result<Digest, LibraryError> {
        let digest = Digest::of(bytes);
        let file = self.file(&digest, BYTES);
        match fs::read(&file) {
            Ok(found) if found == bytes => return Ok(digest),
            Ok(_) => tracing::warn!(file = %file.display(), "a damaged component is kept anew"),
            // Where it is missing or cannot be read, writing it says what is wrong.
            Err(_) => {}
        }
        self.write(&file, &[bytes]).map_err(file_error(&file))?;
        Ok(digest)
    }

    /// The bytes of a component.
    ///
    /// # Errors
    /// Where they are not there, or damaged.
    pub fn bytes(&self, digest: &Digest) -> Result<Vec<u8>, LibraryError> {
        let file = self.file(digest, BYTES);
        let bytes = fs::read(&file).map_err(file_error(&file))?;
        if Digest::of(&bytes) == *digest {
            return Ok(bytes);
        }
        Err(LibraryError::Damaged(file))
    }

    /// A component that is kept here, compiled.
    ///
    /// # Errors
    /// Where it is not there, damaged, or refused.
    pub fn load(&self, runtime: &Runtime, digest: &Digest) -> Result<Compiled, LibraryError> {
        Ok(self.compile(runtime, &self.bytes(digest)?)?)
    }

    /// Compiles a component, or finds its code where this very runtime has compiled it before. A
    /// cache that cannot be read or written costs time, nothing else.
    ///
    /// # Errors
    /// [`Refused::NotAComponent`].
    pub fn compile(&self, runtime: &Runtime, bytes: &[u8]) -> Result<Compiled, Refused> {
        let digest = Digest::of(bytes);
        let file = self.file(&digest, &format!("{}.{CODE}", runtime.fingerprint()));
        if let Some(code) = intact(&file, &digest) {
            match Compiled::from_code(runtime, digest, &code) {
                Ok(compiled) => {
                    // So that it counts as used; if that fails it is compiled again one day.
                    let _ = fs::File::open(&file).and_then(|it| it.set_modified(SystemTime::now()));
                    return Ok(compiled);
                }
                Err(error) => tracing::warn!(%error, file = %file.display(), "compiled code"),
            }
        }
        let compiled = Compiled::new(runtime, bytes)?;
        if let Err(error) = self.keep_code(&file, &digest, &compiled) {
            tracing::warn!(%error, file = %file.display(), "compiled code could not be kept");
        }
        Ok(compiled)
    }

    /// Every component in the library, the latest first.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn list(&self) -> Result<Vec<LibraryEntry>, LibraryError> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(file_error(&self.folder))? {
            let Ok(entry) = entry else { continue };
            let name = entry.file_name();
            let stem = name.to_str().and_then(|name| name.strip_suffix(&format!(".{BYTES}")));
            let Some(digest) = stem.and_then(Digest::parse) else { continue };
            if let Ok(about) = entry.metadata() {
                let since = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                found.push(LibraryEntry { digest, bytes: about.len(), since });
            }
        }
        found.sort_by_key(|it| std::cmp::Reverse(it.since));
        Ok(found)
    }

    fn file(&self, digest: &Digest, kind: &str) -> PathBuf {
        self.folder.join(format!("{digest}.{kind}"))
    }

    fn keep_code(&self, file: &Path, of: &Digest, compiled: &Compiled) -> anyhow::Result<()> {
        let code = compiled.code()?;
        let digest: [u8; DIGEST_BYTES] = Sha256::digest(&code).into();
        self.write(file, &[MARK, &of.0, &digest, &code])?;
        self.forget_old_code()?;
        Ok(())
    }

    /// Whole or not at all: under another name first.
    fn write(&self, file: &Path, parts: &[&[u8]]) -> io::Result<()> {
        let draft = file.with_extension(format!("{}.{DRAFT}", uuid::Uuid::new_v4().simple()));
        let written = (|| {
            let mut out = fs::File::create(&draft)?;
            parts.iter().try_for_each(|part| out.write_all(part))?;
            out.sync_all()?;
            fs::rename(&draft, file)?;
            fs::File::open(&self.folder)?.sync_all()
        })();
        if written.is_err() {
            // It may not even exist.
            let _ = fs::remove_file(&draft);
        }
        written
    }

    /// The files with an ending, and when each was last used, the oldest first.
    fn files(&self, ending: &str) -> io::Result<Vec<(SystemTime, PathBuf)>> {
        let mut found: Vec<_> = fs::read_dir(&self.folder)?
            .filter_map(Result::ok)
            .filter(|entry| entry.path().extension().is_some_and(|its| its == ending))
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        found.sort();
        Ok(found)
    }

    /// Removes what processes that were killed left behind. Another process may be writing here.
    fn forget_drafts(&self) -> io::Result<()> {
        let old = |written: &SystemTime| written.elapsed().is_ok_and(|age| age > DRAFT_AGE_MAX);
        let drafts = self.files(DRAFT)?;
        drafts
            .iter()
            .filter(|(written, _)| old(written))
            .try_for_each(|(_, file)| fs::remove_file(file))
    }

    fn forget_old_code(&self) -> io::Result<()> {
        let found = self.files(CODE)?;
        let surplus = found.len().saturating_sub(COMPILED_MAX);
        found.iter().take(surplus).try_for_each(|(_, file)| fs::remove_file(file))
    }
}

/// Compiled code that is as it was written, of this component.
fn intact(file: &Path, of: &Digest) -> Option<Vec<u8>> {
    let bytes = fs::read(file).ok()?;
    let code = code_within(&bytes, of);
    if code.is_none() {
        tracing::warn!(file = %file.display(), "damaged or foreign compiled code is made anew");
    }
    code.map(<[u8]>::to_vec)
}

fn code_within<'b>(bytes: &'b [u8], of: &Digest) -> Option<&'b [u8]> {
    let rest = bytes.strip_prefix(MARK)?;
    let (component, rest) = rest.split_first_chunk::<DIGEST_BYTES>()?;
    let (digest, code) = rest.split_first_chunk::<DIGEST_BYTES>()?;
    let found: [u8; DIGEST_BYTES] = Sha256::digest(code).into();
    (*component == of.0 && *digest == found).then_some(code)
}

fn file_error(file: &Path) -> impl FnOnce(io::Error) -> LibraryError {
    |cause| LibraryError::File { file: file.to_owned(), cause }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::{EMBEDDED, Limits};

    fn library() -> (tempfile::TempDir, Library) {
        let folder = tempfile::tempdir().unwrap();
        let library = Library::open(folder.path().join("components")).unwrap();
        (folder, library)
    }

    /// The standard component under another digest, by a section that nobody reads.
    fn twin() -> Vec<u8> {
        [EMBEDDED, &[0, 2, 1, b'x']].concat()
    }

    fn code_of(library: &Library, runtime: &Runtime, bytes: &[u8]) -> PathBuf {
        library.file(&Digest::of(bytes), &format!("{}.{CODE}", runtime.fingerprint()))
    }

    #[test]
    fn a_damaged_component_of_the_same_length_is_kept_anew() {
        let (_folder, library) = library();
        let digest = library.keep(EMBEDDED).unwrap();
        let file = library.file(&digest, BYTES);
        let mut damaged = EMBEDDED.to_vec();
        damaged[100] ^= 1;
        fs::write(&file, damaged).unwrap();
        assert!(matches!(library.bytes(&digest), Err(LibraryError::Damaged(_))));
        library.keep(EMBEDDED).unwrap();
        assert_eq!(library.bytes(&digest).unwrap(), EMBEDDED);
    }

    #[test]
    fn a_component_is_kept_anew_though_its_compiled_code_is_there() {
        let (_folder, library) = library();
        let runtime = Runtime::new(Limits::default()).unwrap();
        let digest = library.keep(EMBEDDED).unwrap();
        library.compile(&runtime, EMBEDDED).unwrap();
        fs::remove_file(library.file(&digest, BYTES)).unwrap();
        let missing = library.load(&runtime, &digest);
        assert!(matches!(missing, Err(LibraryError::File { .. })), "its code alone is not enough");
        library.keep(EMBEDDED).unwrap();
        library.load(&runtime, &digest).unwrap();
    }

    #[test]
    fn the_compiled_code_of_one_component_is_never_run_under_the_name_of_another() {
        let (_folder, library) = library();
        let runtime = Runtime::new(Limits::default()).unwrap();
        library.compile(&runtime, EMBEDDED).unwrap();
        library.compile(&runtime, &twin()).unwrap();
        let (one, other) =
            (code_of(&library, &runtime, EMBEDDED), code_of(&library, &runtime, &twin()));
        let right = fs::read(&other).unwrap();
        fs::copy(&one, &other).unwrap();
        assert!(intact(&other, &Digest::of(&twin())).is_none());
        library.compile(&runtime, &twin()).unwrap();
        assert_eq!(fs::read(&other).unwrap().get(..40), right.get(..40), "it is made anew");
    }

    #[test]
    fn damaged_or_cut_off_compiled_code_is_made_anew() {
        let (_folder, library) = library();
        let runtime = Runtime::new(Limits::default()).unwrap();
        library.compile(&runtime, EMBEDDED).unwrap();
        let file = code_of(&library, &runtime, EMBEDDED);
        let (whole, digest) = (fs::read(&file).unwrap(), Digest::of(EMBEDDED));
        for length in [0, 7, 8, 40, 72, whole.len() - 1] {
            fs::write(&file, &whole[..length]).unwrap();
            assert!(intact(&file, &digest).is_none(), "{length}");
        }
        library.compile(&runtime, EMBEDDED).unwrap();
        assert!(intact(&file, &digest).is_some());
    }

    #[test]
    fn drafts_that_were_left_behind_go_and_those_being_written_stay() {
        let (folder, library) = library();
        let of = |name: &str| library.folder.join(name);
        let (old, new) = (of("a.1.draft"), of("b.2.draft"));
        fs::write(&old, "half of it").unwrap();
        fs::write(&new, "half of it").unwrap();
        let then = SystemTime::now() - 2 * DRAFT_AGE_MAX;
        fs::File::options().write(true).open(&old).unwrap().set_modified(then).unwrap();
        Library::open(folder.path().join("components")).unwrap();
        assert_eq!((old.exists(), new.exists()), (false, true));
    }
}
