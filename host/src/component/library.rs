//! The library: a folder with every component that decides or has decided, and a cache of compiled
//! code, so that a component is compiled only once.

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

/// The most files of compiled code that the cache keeps. The least recently used ones are removed.
const CODE_FILES_MAX: usize = 16;

/// The extension of a file with the bytes of a component.
const COMPONENT: &str = "wasm";

/// The extension of a file with compiled code.
const CODE: &str = "compiled";

/// The extension of a temporary file, which is renamed when it is complete.
const TEMPORARY: &str = "draft";

/// The age from which on a temporary file was left behind by a process that was killed: no file
/// takes longer to be written.
const TEMPORARY_AGE_MAX: Duration = Duration::from_secs(600);

/// The first bytes of a file with compiled code. The digest of the component, the digest of the
/// code and the code follow.
const MAGIC: &[u8; 8] = b"holdfas2";
const DIGEST_BYTES: usize = 32;

/// The reason why a component cannot be had from the library.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// A file or the folder cannot be read or written.
    #[error("the component file {file} cannot be used: {cause}")]
    File {
        /// The path of the file or the folder.
        file: PathBuf,
        /// The error of the file system.
        cause: io::Error,
    },
    /// The bytes in the file do not have the digest in the file's name.
    #[error("the component file {0} is damaged: restore it, or remove it and install it again")]
    Damaged(PathBuf),
    /// The component does not compile, although it once did.
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// A component in the library.
#[derive(Clone, Debug)]
pub struct LibraryEntry {
    /// The digest of the component.
    pub digest: Digest,
    /// The size of the component, in bytes.
    pub bytes: u64,
    /// The time when the component was stored.
    pub since: SystemTime,
}

/// A folder of component files, each named by the digest of its bytes.
///
/// Write access to the folder, as to the program or its database, lets an attacker run code in this
/// process. Only the user of the server has access.
#[derive(Clone, Debug)]
pub struct Library {
    folder: PathBuf,
}

impl Library {
    /// Opens the library in this folder, creates the folder where it does not exist, and removes
    /// temporary files that killed processes left behind.
    ///
    /// # Errors
    /// [`LibraryError::File`]: the folder cannot be created.
    pub fn open(folder: PathBuf) -> Result<Self, LibraryError> {
        let created = fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        created.map_err(file_error(&folder))?;
        let library = Self { folder };
        if let Err(error) = library.remove_abandoned_files() {
            tracing::warn!(%error, "temporary files of killed processes could not be removed");
        }
        Ok(library)
    }

    /// Stores a component. Afterwards its bytes are on disk, undamaged: a damaged file is replaced.
    /// Returns the digest of the bytes.
    ///
    /// # Errors
    /// [`LibraryError::File`]: the file cannot be written.
    pub fn store(&self, bytes: &[u8]) -> Result<Digest, LibraryError> {
        let digest = Digest::of(bytes);
        let file = self.path(&digest, COMPONENT);
        match fs::read(&file) {
            Ok(found) if found == bytes => return Ok(digest),
            Ok(_) => tracing::warn!(file = %file.display(), "a damaged component file is replaced"),
            // The file is missing or cannot be read; in the second case the write fails too.
            Err(_) => {}
        }
        self.write_atomically(&file, &[bytes]).map_err(file_error(&file))?;
        Ok(digest)
    }

    /// The bytes of a component.
    ///
    /// # Errors
    /// [`LibraryError::File`] or [`LibraryError::Damaged`].
    pub fn bytes(&self, digest: &Digest) -> Result<Vec<u8>, LibraryError> {
        let file = self.path(digest, COMPONENT);
        let bytes = fs::read(&file).map_err(file_error(&file))?;
        if Digest::of(&bytes) == *digest {
            return Ok(bytes);
        }
        Err(LibraryError::Damaged(file))
    }

    /// A component of the library, compiled.
    ///
    /// # Errors
    /// [`LibraryError`].
    pub fn load(&self, runtime: &Runtime, digest: &Digest) -> Result<Compiled, LibraryError> {
        Ok(self.compile(runtime, &self.bytes(digest)?)?)
    }

    /// Compiles a component, or takes its code from the cache where the same version of the runtime
    /// has compiled it before. A cache that cannot be read or written costs only time.
    ///
    /// # Errors
    /// [`Refused::NotAComponent`].
    pub fn compile(&self, runtime: &Runtime, bytes: &[u8]) -> Result<Compiled, Refused> {
        let digest = Digest::of(bytes);
        let file = self.path(&digest, &format!("{}.{CODE}", runtime.fingerprint()));
        if let Some(code) = read_intact_code(&file, &digest) {
            match Compiled::from_code(runtime, digest, &code) {
                Ok(compiled) => {
                    // The time of the file is the time of its latest use. Where it cannot be set,
                    // the file may be removed too early and the component compiled again.
                    let _ = fs::File::open(&file).and_then(|it| it.set_modified(SystemTime::now()));
                    return Ok(compiled);
                }
                Err(error) => tracing::warn!(
                    %error, file = %file.display(),
                    "compiled code cannot be loaded: the component is compiled again"
                ),
            }
        }
        let compiled = Compiled::new(runtime, bytes)?;
        if let Err(error) = self.store_code(&file, &digest, &compiled) {
            tracing::warn!(%error, file = %file.display(), "compiled code could not be stored");
        }
        Ok(compiled)
    }

    /// Every component in the library, the latest first.
    ///
    /// # Errors
    /// [`LibraryError::File`]: the folder cannot be read.
    pub fn list(&self) -> Result<Vec<LibraryEntry>, LibraryError> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(file_error(&self.folder))? {
            let Ok(entry) = entry else { continue };
            let name = entry.file_name();
            let stem = name.to_str().and_then(|name| name.strip_suffix(&format!(".{COMPONENT}")));
            let Some(digest) = stem.and_then(Digest::parse) else { continue };
            if let Ok(about) = entry.metadata() {
                let since = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                found.push(LibraryEntry { digest, bytes: about.len(), since });
            }
        }
        found.sort_by_key(|it| std::cmp::Reverse(it.since));
        Ok(found)
    }

    /// The path of a component's file with this extension.
    fn path(&self, digest: &Digest, extension: &str) -> PathBuf {
        self.folder.join(format!("{digest}.{extension}"))
    }

    fn store_code(&self, file: &Path, of: &Digest, compiled: &Compiled) -> anyhow::Result<()> {
        let code = compiled.code()?;
        let digest: [u8; DIGEST_BYTES] = Sha256::digest(&code).into();
        self.write_atomically(file, &[MAGIC, &of.0, &digest, &code])?;
        self.remove_old_code()?;
        Ok(())
    }

    /// Writes a file completely or not at all: writes a temporary file, and renames it.
    fn write_atomically(&self, file: &Path, parts: &[&[u8]]) -> io::Result<()> {
        let name = format!("{}.{TEMPORARY}", uuid::Uuid::new_v4().simple());
        let temporary = file.with_extension(name);
        let written = (|| {
            let mut out = fs::File::create(&temporary)?;
            parts.iter().try_for_each(|part| out.write_all(part))?;
            out.sync_all()?;
            fs::rename(&temporary, file)?;
            fs::File::open(&self.folder)?.sync_all()
        })();
        if written.is_err() {
            // The temporary file may not exist; the first error is the one to report.
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    /// The files with this extension, each with the time of its latest use, the oldest first.
    fn files(&self, extension: &str) -> io::Result<Vec<(SystemTime, PathBuf)>> {
        let mut found: Vec<_> = fs::read_dir(&self.folder)?
            .filter_map(Result::ok)
            .filter(|entry| entry.path().extension().is_some_and(|its| its == extension))
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        found.sort();
        Ok(found)
    }

    /// Removes the temporary files that killed processes left behind, recognised by their age:
    /// another process may be writing to the folder.
    fn remove_abandoned_files(&self) -> io::Result<()> {
        let old = |written: &SystemTime| written.elapsed().is_ok_and(|age| age > TEMPORARY_AGE_MAX);
        let temporary = self.files(TEMPORARY)?;
        temporary
            .iter()
            .filter(|(written, _)| old(written))
            .try_for_each(|(_, file)| fs::remove_file(file))
    }

    /// Removes the least recently used files of compiled code beyond [`CODE_FILES_MAX`].
    fn remove_old_code(&self) -> io::Result<()> {
        let found = self.files(CODE)?;
        let surplus = found.len().saturating_sub(CODE_FILES_MAX);
        found.iter().take(surplus).try_for_each(|(_, file)| fs::remove_file(file))
    }
}

/// Reads the compiled code of this component from the cache; `None` where there is none, or where
/// the file is damaged or belongs to another component.
fn read_intact_code(file: &Path, of: &Digest) -> Option<Vec<u8>> {
    let bytes = fs::read(file).ok()?;
    let code = code_within(&bytes, of);
    if code.is_none() {
        tracing::warn!(
            file = %file.display(),
            "compiled code is damaged or of another component: the component is compiled again"
        );
    }
    code.map(<[u8]>::to_vec)
}

/// The compiled code in the bytes of a file; `None` where they are not intact code of this
/// component.
fn code_within<'b>(bytes: &'b [u8], of: &Digest) -> Option<&'b [u8]> {
    let rest = bytes.strip_prefix(MAGIC)?;
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

    /// The standard component under another digest: a custom section is added.
    fn twin() -> Vec<u8> {
        [EMBEDDED, &[0, 2, 1, b'x']].concat()
    }

    fn code_of(library: &Library, runtime: &Runtime, bytes: &[u8]) -> PathBuf {
        library.path(&Digest::of(bytes), &format!("{}.{CODE}", runtime.fingerprint()))
    }

    #[test]
    fn a_damaged_component_of_the_same_length_is_replaced() {
        let (_folder, library) = library();
        let digest = library.store(EMBEDDED).unwrap();
        let file = library.path(&digest, COMPONENT);
        let mut damaged = EMBEDDED.to_vec();
        damaged[100] ^= 1;
        fs::write(&file, damaged).unwrap();
        assert!(matches!(library.bytes(&digest), Err(LibraryError::Damaged(_))));
        library.store(EMBEDDED).unwrap();
        assert_eq!(library.bytes(&digest).unwrap(), EMBEDDED);
    }

    #[test]
    fn a_missing_component_is_stored_again_though_its_compiled_code_is_there() {
        let (_folder, library) = library();
        let runtime = Runtime::new(Limits::default()).unwrap();
        let digest = library.store(EMBEDDED).unwrap();
        library.compile(&runtime, EMBEDDED).unwrap();
        fs::remove_file(library.path(&digest, COMPONENT)).unwrap();
        let missing = library.load(&runtime, &digest);
        assert!(matches!(missing, Err(LibraryError::File { .. })), "its code alone is not enough");
        library.store(EMBEDDED).unwrap();
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
        assert!(read_intact_code(&other, &Digest::of(&twin())).is_none());
        library.compile(&runtime, &twin()).unwrap();
        assert_eq!(fs::read(&other).unwrap().get(..40), right.get(..40), "it is compiled again");
    }

    #[test]
    fn damaged_or_truncated_code_is_compiled_again() {
        let (_folder, library) = library();
        let runtime = Runtime::new(Limits::default()).unwrap();
        library.compile(&runtime, EMBEDDED).unwrap();
        let file = code_of(&library, &runtime, EMBEDDED);
        let (whole, digest) = (fs::read(&file).unwrap(), Digest::of(EMBEDDED));
        for length in [0, 7, 8, 40, 72, whole.len() - 1] {
            fs::write(&file, &whole[..length]).unwrap();
            assert!(read_intact_code(&file, &digest).is_none(), "{length}");
        }
        library.compile(&runtime, EMBEDDED).unwrap();
        assert!(read_intact_code(&file, &digest).is_some());
    }

    #[test]
    fn old_temporary_files_are_removed_and_new_ones_stay() {
        let (folder, library) = library();
        let of = |name: &str| library.folder.join(name);
        let (old, new) = (of("a.1.draft"), of("b.2.draft"));
        fs::write(&old, "half of it").unwrap();
        fs::write(&new, "half of it").unwrap();
        let then = SystemTime::now() - 2 * TEMPORARY_AGE_MAX;
        fs::File::options().write(true).open(&old).unwrap().set_modified(then).unwrap();
        Library::open(folder.path().join("components")).unwrap();
        assert_eq!((old.exists(), new.exists()), (false, true));
    }
}
