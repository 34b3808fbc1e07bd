//! Who may use the API, by the hashes of their keys, and how often.

use std::collections::HashMap;
use std::fs;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use governor::clock::Clock;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use sha2::{Digest, Sha256};

const RELOAD_PAUSE: Duration = Duration::from_secs(5);

type KeyHash = [u8; 32];

/// The file with the names of the clients and the hashes of their keys, as it was last read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeysFile {
    path: PathBuf,
    names: HashMap<KeyHash, String>,
}

impl KeysFile {
    /// Reads the file; an error says all that is wrong with it, without showing a hash.
    pub fn read(path: impl Into<PathBuf>) -> Result<Self, String> {
        let path = path.into();
        let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
        Ok(Self {
            names: parse(&text)?,
            path,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Lines of `NAME HASH`, the SHA-256 in hexadecimal digits; empty lines and `# comments` are skipped.
fn parse(text: &str) -> Result<HashMap<KeyHash, String>, String> {
    let mut names = HashMap::new();
    let mut mistakes = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let fields: Vec<&str> = line
            .split('#')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        let mistake = match *fields.as_slice() {
            [] => continue,
            [name, hash] => match unhex(hash) {
                Some(hash) => match names.insert(hash, name.to_owned()) {
                    None => continue,
                    Some(_) => "this key stands on an earlier line too",
                },
                None => "the hash is not 64 hexadecimal digits",
            },
            _ => "expected a name and the SHA-256 of a key",
        };
        mistakes.push(format!("line {}: {mistake}", index + 1));
    }
    if mistakes.is_empty() && names.is_empty() {
        mistakes.push("there is no key in it".into());
    }
    if mistakes.is_empty() {
        Ok(names)
    } else {
        Err(mistakes.join("; "))
    }
}

fn unhex(digits: &str) -> Option<KeyHash> {
    let mut hash = [0; 32];
    if digits.len() != 64 || !digits.is_ascii() {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(digits.as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair).ok()?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(hash)
}

/// A client of the API; all its keys share one rate limit.
pub struct Client {
    /// Its name in the keys file.
    pub name: String,
    limiter: DefaultDirectRateLimiter,
}

impl Client {
    /// Counts a request; gives how long to wait when there were too many.
    pub fn count_request(&self) -> Result<(), Duration> {
        self.limiter
            .check()
            .map_err(|refused| refused.wait_time_from(self.limiter.clock().now()))
    }
}

/// The clients that may use the API.
pub struct Clients {
    rate_per_second: NonZeroU32,
    file: RwLock<KeysFile>,
    by_key: RwLock<HashMap<KeyHash, Arc<Client>>>,
}

impl Clients {
    /// The clients in a file, each with as many requests a second, at once or spread out.
    pub fn new(file: KeysFile, rate_per_second: NonZeroU32) -> Self {
        let clients = Self {
            rate_per_second,
            by_key: RwLock::default(),
            file: RwLock::new(file.clone()),
        };
        clients.replace(file);
        clients
    }

    /// The client with this key.
    pub fn find(&self, key: &[u8]) -> Option<Arc<Client>> {
        // Keys are long and random, so a fast hash is enough, and neither the time that a look-up
        // takes nor the hash itself leads back to a key.
        let hash: KeyHash = Sha256::digest(key).into();
        let by_key = self.by_key.read().unwrap_or_else(PoisonError::into_inner);
        by_key.get(&hash).cloned()
    }

    /// Takes over every change of the file; never returns.
    pub async fn keep_reading(&self) {
        loop {
            tokio::time::sleep(RELOAD_PAUSE).await;
            self.read_again();
        }
    }

    /// Takes over a change of the file, unless it is wrong: then the keys stay as they were.
    fn read_again(&self) {
        let known = self
            .file
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        match KeysFile::read(known.path()) {
            Ok(file) if file == known => {}
            Ok(file) => {
                tracing::info!(keys = file.names.len(), "the API keys have changed");
                self.replace(file);
            }
            Err(error) => {
                let file = known.path().display().to_string();
                tracing::error!(file, error, "the API keys stay as they were");
            }
        }
    }

    fn replace(&self, file: KeysFile) {
        let mut by_key = self.by_key.write().unwrap_or_else(PoisonError::into_inner);
        let mut by_name: HashMap<String, Arc<Client>> = by_key
            .values()
            .map(|client| (client.name.clone(), Arc::clone(client)))
            .collect();
        *by_key = file
            .names
            .iter()
            .map(|(hash, name)| {
                let client = by_name.entry(name.clone()).or_insert_with(|| {
                    Arc::new(Client {
                        name: name.clone(),
                        limiter: RateLimiter::direct(Quota::per_second(self.rate_per_second)),
                    })
                });
                (*hash, Arc::clone(client))
            })
            .collect();
        *self.file.write().unwrap_or_else(PoisonError::into_inner) = file;
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use proptest::prelude::*;

    use super::*;

    const RATE: NonZeroU32 = NonZeroU32::new(3).unwrap();

    fn hex(hash: &[u8]) -> String {
        hash.iter().fold(String::new(), |mut digits, byte| {
            write!(digits, "{byte:02x}").unwrap();
            digits
        })
    }

    fn hash_of(key: &str) -> String {
        hex(&Sha256::digest(key))
    }

    /// A keys file that is removed with the value.
    struct TemporaryFile(PathBuf);

    impl TemporaryFile {
        fn new(text: &str) -> Self {
            let path = std::env::temp_dir().join(format!("keys-{}", uuid::Uuid::new_v4()));
            fs::write(&path, text).unwrap();
            Self(path)
        }
    }

    impl Drop for TemporaryFile {
        fn drop(&mut self) {
            fs::remove_file(&self.0).unwrap();
        }
    }

    #[test]
    fn only_keys_in_the_file_are_known() {
        let file = TemporaryFile::new(&format!("# ours\nweb-ui {}\n\n", hash_of("one")));
        let clients = Clients::new(KeysFile::read(&file.0).unwrap(), RATE);
        assert_eq!(clients.find(b"one").unwrap().name, "web-ui");
        assert!(clients.find(b"two").is_none());
        assert!(clients.find(b"").is_none());
        assert!(clients.find(hash_of("one").as_bytes()).is_none());
    }

    #[test]
    fn each_wrong_line_is_named_and_no_hash_is_shown() {
        let hash = hash_of("one");
        let text = format!("a {hash}\nb {hash}\nc {}\njust-a-name\n", &hash[1..]);
        let error = parse(&text).unwrap_err();
        assert_eq!(
            error,
            "line 2: this key stands on an earlier line too; \
             line 3: the hash is not 64 hexadecimal digits; \
             line 4: expected a name and the SHA-256 of a key"
        );
        assert_eq!(parse("# nothing\n").unwrap_err(), "there is no key in it");
    }

    #[test]
    fn keys_are_rotated_without_a_restart() {
        let file = TemporaryFile::new(&format!("web-ui {}\n", hash_of("old")));
        let clients = Clients::new(KeysFile::read(&file.0).unwrap(), RATE);

        fs::write(
            &file.0,
            format!("web-ui {}\nweb-ui {}\n", hash_of("old"), hash_of("new")),
        )
        .unwrap();
        clients.read_again();
        assert!(clients.find(b"old").is_some());
        assert!(clients.find(b"new").is_some());

        fs::write(&file.0, format!("web-ui {}\n", hash_of("new"))).unwrap();
        clients.read_again();
        assert!(clients.find(b"old").is_none());
        assert!(clients.find(b"new").is_some());
    }

    #[test]
    fn a_wrong_file_changes_nothing() {
        let file = TemporaryFile::new(&format!("web-ui {}\n", hash_of("old")));
        let clients = Clients::new(KeysFile::read(&file.0).unwrap(), RATE);
        fs::write(&file.0, "web-ui\n").unwrap();
        clients.read_again();
        assert!(clients.find(b"old").is_some());
    }

    #[test]
    fn all_keys_of_a_client_share_its_limit_even_when_rotated() {
        let file = TemporaryFile::new(&format!(
            "ours {}\ntheirs {}\n",
            hash_of("old"),
            hash_of("other")
        ));
        let clients = Clients::new(KeysFile::read(&file.0).unwrap(), RATE);
        for _ in 0..RATE.get() {
            clients.find(b"old").unwrap().count_request().unwrap();
        }
        fs::write(
            &file.0,
            format!("ours {}\ntheirs {}\n", hash_of("new"), hash_of("other")),
        )
        .unwrap();
        clients.read_again();
        let wait = clients.find(b"new").unwrap().count_request().unwrap_err();
        assert!(wait <= Duration::from_secs(1), "{wait:?}");
        clients.find(b"other").unwrap().count_request().unwrap();
    }

    proptest! {
        #[test]
        fn any_file_is_read_or_refused(text in ".{0,200}") {
            let _ = parse(&text);
        }

        #[test]
        fn hashes_are_read_in_either_case(hash: KeyHash) {
            let lower = hex(&hash);
            prop_assert_eq!(unhex(&lower), Some(hash));
            prop_assert_eq!(unhex(&lower.to_uppercase()), Some(hash));
        }
    }
}
