//! The downloader against a server on this machine that misbehaves in every way that mirrors do.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::Downloader;
use crate::error::DataError;
use crate::idx;
use crate::load::Event;
use crate::manifest::Manifest;

/// What the server does with a request for a file; the last one is repeated.
#[derive(Clone, Copy, Debug)]
enum Answer {
    /// The file, or the range asked for.
    Whole,
    /// The file, whatever range is asked for.
    WithoutRange,
    /// This many bytes, then the connection closes.
    BreakOff(usize),
    /// This many bytes, then nothing more.
    Stall(usize),
    /// Nothing at all.
    Silence,
    /// Another file of the same length, or the range asked for of it.
    Wrong,
    /// Bytes without end.
    Endless,
    /// This status and no file.
    Status(u16),
}

use Answer::{BreakOff, Endless, Silence, Stall, Status, Whole, WithoutRange, Wrong};

struct Server {
    url: String,
    /// The file and range of each request.
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(answers: &[Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/files/", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, answers) = (Arc::clone(&requests), answers.to_vec());
        // The thread ends with the test's process.
        std::thread::spawn(move || {
            for (index, stream) in listener.incoming().enumerate() {
                let answer = answers[index.min(answers.len() - 1)];
                let seen = Arc::clone(&seen);
                std::thread::spawn(move || serve(stream.unwrap(), answer, &seen));
            }
        });
        Self { url, requests }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, answer: Answer, seen: &Mutex<Vec<String>>) {
    let mut head = Vec::new();
    for line in BufReader::new(&stream).lines().map_while(Result::ok) {
        if line.is_empty() {
            break;
        }
        head.push(line);
    }
    let Some(path) = head.first().and_then(|line| line.split(' ').nth(1)) else {
        return;
    };
    let name = path.rsplit('/').next().unwrap();
    let range = head.iter().find_map(|line| {
        line.to_lowercase()
            .strip_prefix("range: bytes=")
            .map(str::to_owned)
    });
    let asked = range
        .as_ref()
        .map_or(String::new(), |range| format!(" {range}"));
    seen.lock().unwrap().push(format!("{name}{asked}"));
    let start: usize = range.map_or(0, |range| range.trim_end_matches('-').parse().unwrap());

    let mut file = content(name);
    if let Wrong = answer {
        file.iter_mut().for_each(|byte| *byte ^= 0x55);
    }
    let start = if let WithoutRange = answer { 0 } else { start };
    let length = file.len();
    let head = match answer {
        Silence => return std::thread::sleep(Duration::from_secs(20)),
        Status(status) => format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n"),
        Endless => "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_owned(),
        _ if start >= length => "HTTP/1.1 416 No\r\nContent-Length: 0\r\n\r\n".to_owned(),
        _ if start > 0 => format!(
            "HTTP/1.1 206 Partial\r\nContent-Range: bytes {start}-{}/{length}\r\nContent-Length: {}\r\n\r\n",
            length - 1,
            length - start
        ),
        _ => format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"),
    };
    let rest = file.get(start..).unwrap_or_default();
    let mut send = |bytes: &[u8]| stream.write_all(bytes).and_then(|()| stream.flush());
    // The client may hang up at any time.
    let _ = send(head.as_bytes()).and_then(|()| match answer {
        Status(_) | Silence => Ok(()),
        Whole | WithoutRange | Wrong => send(rest),
        BreakOff(count) => send(&rest[..count.min(rest.len())]),
        Stall(count) => {
            send(&rest[..count.min(rest.len())])?;
            std::thread::sleep(Duration::from_secs(20));
            Ok(())
        }
        Endless => loop {
            send(&[0; 4096])?;
        },
    });
}

/// The four files of the set that the server has: plain IDX, which the client also takes for what it is.
fn content(name: &str) -> Vec<u8> {
    let (count, is_images) = match name {
        "train-images.gz" => (6, true),
        "train-labels.gz" => (6, false),
        "t10k-images.gz" => (3, true),
        "t10k-labels.gz" => (3, false),
        other => panic!("no request for {other} was expected"),
    };
    let mut file = vec![0, 0, 8, if is_images { 3 } else { 1 }, 0, 0, 0, count];
    if is_images {
        file.extend([0, 0, 0, 20, 0, 0, 0, 10]);
        file.extend((0..u32::from(count) * 200).map(|index| (index * 7 % 251) as u8));
    } else {
        file.extend(0..count);
    }
    file
}

fn manifest() -> Manifest {
    let mut text = "name = \"small\"\nmirrors = []\n".to_owned();
    for (role, file) in [
        ("train-images", "train-images"),
        ("train-labels", "train-labels"),
        ("test-images", "t10k-images"),
        ("test-labels", "t10k-labels"),
    ] {
        let content = content(&format!("{file}.gz"));
        let path = Path::new(file);
        let sha256 = match role.ends_with("images") {
            true => idx::decode_images(path, &content[..]).unwrap().sha256(),
            false => idx::decode_labels(path, &content[..], 10).unwrap().sha256(),
        };
        text += &format!(
            "[[files]]\nrole = \"{role}\"\nfile = \"{file}\"\nbytes = {}\nsha256 = \"{sha256}\"\n",
            content.len()
        );
    }
    Manifest::parse("the test's", &text).unwrap()
}

struct Outcome {
    result: Result<(), DataError>,
    events: Vec<String>,
}

fn download(folder: &Path, servers: &[&Server]) -> Outcome {
    let mirrors: Vec<String> = servers.iter().map(|server| server.url.clone()).collect();
    let events = Mutex::new(Vec::new());
    let result = Downloader {
        manifest: &manifest(),
        folder,
        mirrors: &mirrors,
        patience: Duration::from_millis(1500),
        progress: &|event| match event {
            Event::Downloading { .. } => {}
            Event::MirrorFailed { why, .. } => events.lock().unwrap().push(why.to_owned()),
            other => events.lock().unwrap().push(format!("{other:?}")),
        },
    }
    .fetch_missing();
    let mut events = events.into_inner().unwrap();
    events.retain(|event| !event.starts_with("Stored"));
    Outcome { result, events }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// All four files are there, complete, and nothing else.
fn assert_complete(folder: &Path) {
    let expected = [
        "t10k-images.gz",
        "t10k-labels.gz",
        "train-images.gz",
        "train-labels.gz",
    ];
    assert_eq!(names(folder), expected);
    for name in expected {
        assert_eq!(
            std::fs::read(folder.join(name)).unwrap(),
            content(name),
            "{name}"
        );
    }
}

#[test]
fn a_good_mirror_delivers() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("made/by/the/download");
    let server = Server::start(&[Whole]);
    let outcome = download(&folder, &[&server]);
    outcome.result.unwrap();
    assert_complete(&folder);
    let expected = [
        "train-images.gz",
        "train-labels.gz",
        "t10k-images.gz",
        "t10k-labels.gz",
    ];
    assert_eq!(server.requests(), expected);
    download(&folder, &[&server]).result.unwrap();
    assert_eq!(
        server.requests().len(),
        4,
        "what is there is not asked for again"
    );
}

#[test]
fn only_what_is_missing_is_fetched() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("train-images"),
        content("train-images.gz"),
    )
    .unwrap();
    std::fs::write(
        folder.path().join("t10k-labels.gz"),
        content("t10k-labels.gz"),
    )
    .unwrap();
    let server = Server::start(&[Whole]);
    download(folder.path(), &[&server]).result.unwrap();
    assert_eq!(server.requests(), ["train-labels.gz", "t10k-images.gz"]);
}

#[test]
fn the_next_mirror_is_tried() {
    for (answer, why) in [
        (Status(404), "status 404"),
        (Status(500), "status 500"),
        (Wrong, "sent other content"),
        (Endless, "sent more than"),
        (BreakOff(0), "broke off after 0 bytes"),
        (Stall(0), "broke off after 0 bytes"),
        (Silence, "timeout"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (bad, good) = (
            Server::start(&[answer, Status(404)]),
            Server::start(&[Whole]),
        );
        let outcome = download(folder.path(), &[&bad, &good]);
        outcome.result.unwrap();
        assert_complete(folder.path());
        assert!(
            outcome.events[0].contains(why),
            "{answer:?}: {:?}",
            outcome.events
        );
        assert_eq!(good.requests().len(), 4);
    }
}

#[test]
fn a_download_that_breaks_off_is_resumed() {
    for answer in [BreakOff(100), Stall(100)] {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(&[answer, Whole]);
        download(folder.path(), &[&server]).result.unwrap();
        assert_complete(folder.path());
        assert_eq!(
            server.requests()[..2],
            ["train-images.gz", "train-images.gz 100-"],
            "{answer:?}"
        );
    }
}

#[test]
fn another_mirror_and_another_run_resume_too() {
    let folder = tempfile::tempdir().unwrap();
    let bad = Server::start(&[BreakOff(100), Status(503)]);
    let error = download(folder.path(), &[&bad])
        .result
        .unwrap_err()
        .to_string();
    assert!(error.contains("cannot download train-images.gz"), "{error}");
    assert!(error.contains("status 503"), "{error}");
    assert_eq!(names(folder.path()), ["train-images.gz.part"]);
    let good = Server::start(&[Whole]);
    download(folder.path(), &[&good]).result.unwrap();
    assert_complete(folder.path());
    assert_eq!(good.requests()[0], "train-images.gz 100-");
}

#[test]
fn a_server_without_ranges_starts_over() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&[BreakOff(100), WithoutRange]);
    download(folder.path(), &[&server]).result.unwrap();
    assert_complete(folder.path());
}

#[test]
fn a_part_that_is_wrong_is_thrown_away() {
    // Of another file, of the full length, longer than the file.
    for length in [100, content("train-images.gz").len(), 5000] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("train-images.gz.part"), vec![1; length]).unwrap();
        let server = Server::start(&[Whole]);
        download(folder.path(), &[&server]).result.unwrap();
        assert_complete(folder.path());
        let requests = server.requests();
        assert_eq!(requests[0], format!("train-images.gz {length}-"));
        assert_eq!(requests[1], "train-images.gz", "from the start");
    }
}

#[test]
fn a_complete_part_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("train-images.gz.part"),
        content("train-images.gz"),
    )
    .unwrap();
    download(folder.path(), &[&Server::start(&[Whole])])
        .result
        .unwrap();
    assert_complete(folder.path());
}

#[test]
fn no_mirror_is_one_error_that_names_them_all() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (Server::start(&[Status(404)]), Server::start(&[Wrong]));
    let error = download(folder.path(), &[&first, &second])
        .result
        .unwrap_err()
        .to_string();
    for words in [
        &first.url,
        &second.url,
        "status 404",
        "other content",
        "EMBER_DATA_DIR",
    ] {
        assert!(error.contains(words), "`{words}` is not in: {error}");
    }
    assert_eq!(
        names(folder.path()),
        [] as [&str; 0],
        "nothing half-written is left"
    );
}

#[test]
fn a_dead_network_fails_fast() {
    let folder = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let (first, second) = (
        Server::start(&[Silence]),
        Server::start(&[Stall(10), Silence]),
    );
    download(folder.path(), &[&first, &second])
        .result
        .unwrap_err();
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn two_downloads_at_once_do_not_mix() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&[Whole]);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| download(folder.path(), &[&server]).result.unwrap());
        }
    });
    assert_complete(folder.path());
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let error = download(&file.join("below"), &[]).result.unwrap_err();
    assert!(matches!(error, DataError::Write { .. }), "{error}");
}
