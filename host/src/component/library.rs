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
    time::SystemTime,
};

/// The most compiled components that are kept; those used last.
const COMPILED_MAX: usize = 16;

const BYTES: &str = "wasm";
const CODE: &str = "compiled";

/// Before compiled code: that it is ours, and its digest.
const MARK: &[u8; 8] = b"holdfast";
const HEADER_BYTES: usize = MARK.len() + 32;

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
pub struct Shelved {
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
        Ok(Self { folder })
    }

    /// Keeps a component; it is on disk afterwards.
    ///
    /// # Errors
    /// Where the file system refuses.
    pub fn keep(&self, bytes: &[u8]) -> Result<Digest, LibraryError> {
        let digest = Digest::of(bytes);
        let file = self.file(&digest, BYTES);
        if fs::metadata(&file).is_ok_and(|found| found.len() == bytes.len() as u64) {
            return Ok(digest);
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
        if let Some(code) = intact(&file) {
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
        if let Err(error) = self.keep_code(&file, &compiled) {
            tracing::warn!(%error, file = %file.display(), "compiled code could not be kept");
        }
        Ok(compiled)
    }

    /// Every component in the library, the latest first.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn list(&self) -> Result<Vec<Shelved>, LibraryError> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(file_error(&self.folder))? {
            let Ok(entry) = entry else { continue };
            let name = entry.file_name();
            let stem = name.to_str().and_then(|name| name.strip_suffix(&format!(".{BYTES}")));
            let Some(digest) = stem.and_then(Digest::parse) else { continue };
            if let Ok(about) = entry.metadata() {
                let since = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                found.push(Shelved { digest, bytes: about.len(), since });
            }
        }
        found.sort_by_key(|it| std::cmp::Reverse(it.since));
        Ok(found)
    }

    fn file(&self, digest: &Digest, kind: &str) -> PathBuf {
        self.folder.join(format!("{digest}.{kind}"))
    }

    fn keep_code(&self, file: &Path, compiled: &Compiled) -> anyhow::Result<()> {
        let code = compiled.code()?;
        let digest: [u8; 32] = Sha256::digest(&code).into();
        self.write(file, &[MARK, &digest, &code])?;
        self.forget_old_code()?;
        Ok(())
    }

    /// Whole or not at all: under another name first.
    fn write(&self, file: &Path, parts: &[&[u8]]) -> io::Result<()> {
        let draft = file.with_extension(format!("{}.draft", uuid::Uuid::new_v4().simple()));
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

    fn forget_old_code(&self) -> io::Result<()> {
        let mut found: Vec<_> = fs::read_dir(&self.folder)?
            .filter_map(Result::ok)
            .filter(|entry| entry.path().extension().is_some_and(|ending| ending == CODE))
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        found.sort();
        let surplus = found.len().saturating_sub(COMPILED_MAX);
        found.iter().take(surplus).try_for_each(|(_, file)| fs::remove_file(file))
    }
}

/// Compiled code that is as it was written.
fn intact(file: &Path) -> Option<Vec<u8>> {
    let mut bytes = fs::read(file).ok()?;
    let header = bytes.get(..HEADER_BYTES)?;
    let (mark, digest) = header.split_at(MARK.len());
    let code: [u8; 32] = Sha256::digest(bytes.get(HEADER_BYTES..)?).into();
    if mark == MARK && digest == code {
        return Some(bytes.split_off(HEADER_BYTES));
    }
    tracing::warn!(file = %file.display(), "damaged compiled code is made anew");
    None
}

fn file_error(file: &Path) -> impl FnOnce(io::Error) -> LibraryError {
    |cause| LibraryError::File { file: file.to_owned(), cause }
}
