//! Downloads the files of a data set: from the first mirror that delivers, resumed where it broke off, checked before
//! it gets its name.
//!
//! A file grows under the name `<file>.gz.part`. Only when its content has the expected checksum is it renamed, so that
//! a file without `.part` is always complete. A `.part` of a download that was broken off is kept and continued by
//! the next one; one whose content is wrong is deleted. A lock on the `.part` keeps two processes from mixing theirs.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use ureq::http::Response;
use ureq::http::header::{CONTENT_LENGTH, CONTENT_RANGE, RANGE};
use ureq::{Agent, Body};

use crate::error::DataError;
use crate::folder::Role;
use crate::idx;
use crate::load::Event;
use crate::manifest::{Manifest, ManifestFile};

/// How often one mirror is asked for the rest of a file that broke off or was resumed wrongly.
const ATTEMPTS_PER_MIRROR: usize = 3;

/// Where downloads come from, where they go and how long to wait.
pub(crate) struct Downloader<'a> {
    pub(crate) manifest: &'a Manifest,
    /// Where the files are stored; it is made if it is missing.
    pub(crate) folder: &'a Path,
    pub(crate) mirrors: &'a [String],
    /// The longest time for a mirror to be found, to be connected to, to answer, and between two pieces of its answer.
    pub(crate) patience: Duration,
    pub(crate) progress: &'a (dyn Fn(Event<'_>) + Sync),
}

/// Why one request did not end with a checked file.
enum Failure {
    /// The connection broke or stalled. `progressed`: after bytes had arrived, so asking again may get the rest.
    Interrupted { why: String, progressed: bool },
    /// What arrived is not the file. `resumed`: part of it was from an earlier request, so asking again may help.
    WrongContent { why: String, resumed: bool },
    /// This mirror does not have it.
    Mirror(String),
    /// This machine cannot store it.
    Local(DataError),
}

impl Downloader<'_> {
    /// Downloads each file of the manifest that is not in the folder yet, plain or gzip.
    pub(crate) fn fetch_missing(&self) -> Result<(), DataError> {
        fs::create_dir_all(self.folder).map_err(DataError::write(self.folder))?;
        for file in &self.manifest.files {
            let plain = self.folder.join(&file.file);
            let gzip = self.folder.join(format!("{}.gz", file.file));
            if !plain.exists() && !gzip.exists() {
                self.fetch(file, &gzip)?;
            }
        }
        Ok(())
    }

    fn fetch(&self, file: &ManifestFile, path: &Path) -> Result<(), DataError> {
        let part_path = path.with_added_extension("part");
        let mut part = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&part_path)
            .map_err(DataError::write(&part_path))?;
        part.lock().map_err(DataError::write(&part_path))?;
        if path.exists() {
            return Ok(()); // Another process stored it while this one waited for the lock.
        }
        let mut attempts = Vec::new();
        for mirror in self.mirrors {
            let url = format!("{}/{}.gz", mirror.trim_end_matches('/'), file.file);
            match self.fetch_from(&url, file, &mut part, &part_path) {
                Ok(()) => {
                    fs::rename(&part_path, path).map_err(DataError::write(path))?;
                    (self.progress)(Event::Stored { path });
                    return Ok(());
                }
                Err(Failure::Local(error)) => {
                    let _ = fs::remove_file(&part_path);
                    return Err(error);
                }
                Err(
                    Failure::Interrupted { why, .. }
                    | Failure::WrongContent { why, .. }
                    | Failure::Mirror(why),
                ) => {
                    (self.progress)(Event::MirrorFailed {
                        url: &url,
                        why: &why,
                    });
                    attempts.push(format!("{url}: {why}"));
                }
            }
        }
        if part.metadata().is_ok_and(|metadata| metadata.len() == 0) {
            let _ = fs::remove_file(&part_path);
        }
        Err(DataError::Download {
            file: format!("{}.gz", file.file),
            folder: self.folder.to_owned(),
            attempts,
        })
    }

    /// Completes `part` from one mirror and checks it.
    fn fetch_from(
        &self,
        url: &str,
        file: &ManifestFile,
        part: &mut File,
        part_path: &Path,
    ) -> Result<(), Failure> {
        let agent = self.agent(url);
        let mut attempt = 1;
        loop {
            let result = self
                .request(&agent, url, file, part, part_path)
                .and_then(|resumed| check(file, part, part_path, resumed));
            if let Err(Failure::WrongContent { .. }) = result {
                part.set_len(0)
                    .map_err(|error| Failure::Local(DataError::write(part_path)(error)))?;
            }
            match result {
                Err(
                    Failure::Interrupted {
                        progressed: true, ..
                    }
                    | Failure::WrongContent { resumed: true, .. },
                ) if attempt < ATTEMPTS_PER_MIRROR => attempt += 1,
                result => return result,
            }
        }
    }

    fn agent(&self, url: &str) -> Agent {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_resolve(Some(self.patience))
            .timeout_connect(Some(self.patience))
            .timeout_recv_response(Some(self.patience))
            .timeout_per_read(Some(self.patience));
        if url.starts_with("http://127.0.0.1:") {
            // No proxy stands between a machine and itself.
            config = config.proxy(None);
        }
        config.build().into()
    }

    /// Asks for what `part` lacks and appends it; the answer is whether `part` had anything before.
    fn request(
        &self,
        agent: &Agent,
        url: &str,
        file: &ManifestFile,
        part: &mut File,
        part_path: &Path,
    ) -> Result<bool, Failure> {
        let local = |error| Failure::Local(DataError::write(part_path)(error));
        let before = part.seek(SeekFrom::End(0)).map_err(local)?;
        let mut request = agent.get(url);
        if before > 0 {
            request = request.header(RANGE, format!("bytes={before}-"));
        }
        let response = request
            .call()
            .map_err(|error| Failure::Mirror(error.to_string()))?;
        let start = match response.status().as_u16() {
            200 => 0,
            206 if range_start(&response) == Some(before) => before,
            // The part is as long as the file, or longer: the check decides.
            416 if before > 0 => return Ok(true),
            status => return Err(Failure::Mirror(format!("answered with status {status}"))),
        };
        part.set_len(start).map_err(local)?;
        part.seek(SeekFrom::Start(start)).map_err(local)?;
        let total = header_number(&response, CONTENT_LENGTH.as_str()).map(|length| start + length);
        let mut body = Receiving {
            file,
            start,
            received: start,
            total,
            body: response.into_body(),
        };
        while let Some(bytes) = body.next()? {
            part.write_all(&bytes).map_err(local)?;
            (self.progress)(Event::Downloading {
                file: &file.file,
                received: body.received,
                total,
            });
        }
        Ok(start > 0)
    }
}

/// The body of a response on its way.
struct Receiving<'a> {
    file: &'a ManifestFile,
    /// Bytes that were there before.
    start: u64,
    received: u64,
    total: Option<u64>,
    body: Body,
}

impl Receiving<'_> {
    /// The next bytes; none at the end.
    fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let mut buffer = vec![0; 1 << 16];
        let count = loop {
            match self.body.as_reader().read(&mut buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.broken(&error.to_string())),
                Ok(count) => break count,
            }
        };
        if count == 0 {
            return match self.total {
                Some(total) if self.received < total => Err(self.broken("it ended")),
                _ => Ok(None),
            };
        }
        self.received += count as u64;
        // Gzip makes data that do not compress longer by less than this.
        let most = self.file.bytes + self.file.bytes / 64 + 1024;
        if self.received > most {
            let why = format!("sent more than {most} bytes");
            return Err(Failure::WrongContent {
                why,
                resumed: false,
            });
        }
        buffer.truncate(count);
        Ok(Some(buffer))
    }

    fn broken(&self, why: &str) -> Failure {
        Failure::Interrupted {
            why: format!("broke off after {} bytes ({why})", self.received),
            progressed: self.received > self.start,
        }
    }
}

/// Whether `part` is the file of the manifest.
fn check(file: &ManifestFile, part: &File, part_path: &Path, resumed: bool) -> Result<(), Failure> {
    let local = |error| Failure::Local(DataError::write(part_path)(error));
    part.sync_all().map_err(local)?;
    let found = match file.role {
        Role::TrainImages | Role::TestImages => {
            idx::read_images(part_path).map(|images| images.sha256())
        }
        Role::TrainLabels | Role::TestLabels => {
            idx::read_labels(part_path, usize::MAX).map(|labels| labels.sha256())
        }
    };
    let why = match found {
        Ok(found) if found == file.sha256 => return Ok(()),
        Ok(found) => format!(
            "sent other content: SHA-256 {found}, expected {}",
            file.sha256
        ),
        Err(error) => format!("sent other content: {error}"),
    };
    Err(Failure::WrongContent { why, resumed })
}

/// The first byte's position in `Content-Range: bytes 100-199/200`.
fn range_start(response: &Response<Body>) -> Option<u64> {
    let value = response.headers().get(CONTENT_RANGE)?.to_str().ok()?;
    let (start, _) = value.strip_prefix("bytes ")?.split_once('-')?;
    start.parse().ok()
}

fn header_number(response: &Response<Body>, name: &str) -> Option<u64> {
    response.headers().get(name)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
