//! Health check for images without a shell: `healthcheck PORT PATH` asks the process beside it
//! by HTTP and exits with 0 when the answer is a success, else with 1.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(2);

fn succeeds(port: u16, path: &str) -> std::io::Result<bool> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let request = ["GET ", path, " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"];
    stream.write_all(request.concat().as_bytes())?;
    let mut status = [0; 10];
    stream.read_exact(&mut status)?;
    Ok(status.starts_with(b"HTTP/1.") && status[9] == b'2')
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, path] = arguments.as_slice() else {
        return ExitCode::FAILURE;
    };
    match port.parse().map(|port| succeeds(port, path)) {
        Ok(Ok(true)) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
