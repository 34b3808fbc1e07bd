//! What the tests of both services share.

use std::net::SocketAddr;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tower::ServiceExt;

const PATIENCE: Duration = Duration::from_secs(20);
const CHECK_PAUSE: Duration = Duration::from_millis(20);

/// The answer of a service.
#[derive(Debug)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub text: String,
}

impl Reply {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The value of a header, empty when it isn't there.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// Sends a request to a service within this process.
pub async fn send(app: &Router, request: Request<Body>) -> Reply {
    let response = app.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    Reply {
        status: parts.status,
        headers: parts.headers,
        text: String::from_utf8(body.to_vec()).unwrap(),
    }
}

/// A GET request.
pub fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

/// A POST request with a JSON body.
pub fn post(path: &str, body: impl ToString) -> Request<Body> {
    Request::post(path)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()))
        .unwrap()
}

/// Waits until `check` gives a value; fails after 20 s.
pub async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut check: impl FnMut() -> F,
) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = check().await {
            return value;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(CHECK_PAUSE).await;
    }
}

/// The value of a metric of a service, summed over its labels that contain `label`.
pub async fn metric(app: &Router, name: &str, label: &str) -> f64 {
    send(app, get("/metrics"))
        .await
        .text
        .lines()
        .filter(|line| line.starts_with(name) && line.contains(label))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}

/// What a [`FlakyPort`] does with connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Passes on what is sent.
    Working,
    /// Closes every connection.
    Closed,
    /// Keeps every connection and passes nothing on, even when it works again for new ones.
    Hanging,
}

/// A port in front of a server, which can be made to fail.
pub struct FlakyPort {
    /// Where it listens.
    pub address: SocketAddr,
    mode: watch::Sender<Mode>,
}

impl FlakyPort {
    /// A port in front of the server at `target`, such as `localhost:5432`.
    pub async fn new(target: String, mode: Mode) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, receiver) = watch::channel(mode);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass_on(client, target.clone(), receiver.clone()));
            }
        });
        Self {
            address,
            mode: sender,
        }
    }

    /// Fails, or works again, from now on.
    pub fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }
}

async fn pass_on(mut client: TcpStream, target: String, mut mode: watch::Receiver<Mode>) {
    let mut server = TcpStream::connect(target).await.unwrap();
    if *mode.borrow_and_update() == Mode::Working {
        tokio::select! {
            changed = mode.changed() => if changed.is_err() { return },
            _ = copy_bidirectional(&mut client, &mut server) => return,
        }
    }
    // Fails as soon as the port is closed or gone.
    let _ = mode.wait_for(|now| *now == Mode::Closed).await;
}

/// A service in a process of its own, killed with the value.
pub struct Process {
    child: Child,
    port: u16,
}

impl Process {
    /// Starts a service that listens where the setting `port_variable` says, and waits for it.
    pub async fn start(command: &mut Command, port_variable: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .await
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let child = command
            .env(port_variable, port.to_string())
            .spawn()
            .unwrap();
        let process = Self { child, port };
        eventually("the service listens", || async {
            TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await;
        process
    }

    /// Sends a request and gives what reads its answer, so that something can happen in between.
    pub async fn begin(&self, request: &str) -> impl Future<Output = String> + use<> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        async move {
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer
        }
    }

    /// Whether it takes new connections.
    pub async fn is_listening(&self) -> bool {
        TcpStream::connect(("127.0.0.1", self.port)).await.is_ok()
    }

    /// Asks it to stop, by SIGTERM.
    pub fn terminate(&self) {
        // The shell's own kill: a small image has no other.
        let kill = format!("kill -TERM {}", self.child.id());
        assert!(
            Command::new("sh")
                .args(["-c", &kill])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits for its end and gives what it wrote to stdout, which has to be piped.
    pub async fn output(&mut self) -> String {
        self.exit_status().await;
        let stdout = self.child.stdout.take().expect("stdout is piped");
        std::io::read_to_string(stdout).unwrap()
    }

    /// Waits for its end and gives its exit status.
    pub async fn exit_status(&mut self) -> Option<i32> {
        let child = std::cell::RefCell::new(&mut self.child);
        eventually("the service ends", || async {
            child.borrow_mut().try_wait().unwrap()
        })
        .await
        .code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended already where all went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
