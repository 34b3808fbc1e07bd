//! Health check for images without a shell: `healthcheck PORT PATH` asks the process beside it
//! by HTTP and exits with 0 when the answer is a success, else with 1.
//!
//! It speaks to the kernel itself, because a static C library would make it a megabyte larger,
//! in every image. All it needs are five system calls.
#![no_std]
#![no_main]
#![no_builtins]

use core::arch::{asm, global_asm};

#[cfg(target_arch = "x86_64")]
mod kernel {
    pub const READ: usize = 0;
    pub const WRITE: usize = 1;
    pub const SOCKET: usize = 41;
    pub const CONNECT: usize = 42;
    pub const SETSOCKOPT: usize = 54;
    pub const EXIT: usize = 60;
}

#[cfg(target_arch = "aarch64")]
mod kernel {
    pub const READ: usize = 63;
    pub const WRITE: usize = 64;
    pub const SOCKET: usize = 198;
    pub const CONNECT: usize = 203;
    pub const SETSOCKOPT: usize = 208;
    pub const EXIT: usize = 93;
}

const AF_INET: usize = 2;
const SOCK_STREAM: usize = 1;
const SOL_SOCKET: usize = 1;
const SO_RCVTIMEO: usize = 20;
const SO_SNDTIMEO: usize = 21;
const TIMEOUT_SECONDS: [i64; 2] = [2, 0];

// The kernel starts a process with its arguments on the stack: hand their address on.
#[cfg(target_arch = "x86_64")]
global_asm!(".globl _start", "_start:", "mov rdi, rsp", "and rsp, -16", "call {}", sym start);
#[cfg(target_arch = "aarch64")]
global_asm!(".globl _start", "_start:", "mov x0, sp", "bl {}", sym start);

#[cfg(target_arch = "x86_64")]
unsafe fn call(number: usize, arguments: [usize; 5]) -> isize {
    let result;
    let [a, b, c, d, e] = arguments;
    // SAFETY: the caller vouches for the arguments; the kernel changes only these registers.
    unsafe {
        asm!("syscall", inlateout("rax") number => result, in("rdi") a, in("rsi") b, in("rdx") c,
            in("r10") d, in("r8") e, lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    result
}

#[cfg(target_arch = "aarch64")]
unsafe fn call(number: usize, arguments: [usize; 5]) -> isize {
    let result;
    let [a, b, c, d, e] = arguments;
    // SAFETY: the caller vouches for the arguments; the kernel changes only x0.
    unsafe {
        asm!("svc 0", in("x8") number, inlateout("x0") a => result, in("x1") b, in("x2") c,
            in("x3") d, in("x4") e, options(nostack));
    }
    result
}

unsafe extern "C" fn start(stack: *const usize) -> ! {
    // SAFETY: the stack holds the count, then the arguments as C strings, as the kernel laid it.
    let healthy = unsafe {
        *stack == 3
            && succeeds(
                argument(*stack.add(2) as *const u8),
                argument(*stack.add(3) as *const u8),
            ) == Some(true)
    };
    loop {
        // SAFETY: exit has no memory to mind.
        unsafe { call(kernel::EXIT, [usize::from(!healthy), 0, 0, 0, 0]) };
    }
}

unsafe fn argument(text: *const u8) -> &'static [u8] {
    let mut length = 0;
    // SAFETY: the text ends with a zero, and lives as long as the process.
    unsafe {
        while *text.add(length) != 0 {
            length += 1;
        }
        core::slice::from_raw_parts(text, length)
    }
}

fn succeeds(port: &[u8], path: &[u8]) -> Option<bool> {
    let port: u16 = core::str::from_utf8(port).ok()?.parse().ok()?;
    let [high, low] = port.to_be_bytes();
    let mut address = [0_u8; 16];
    address[..8].copy_from_slice(&[AF_INET as u8, 0, high, low, 127, 0, 0, 1]);
    // SAFETY: every pointer is to a live value of the length that stands beside it.
    unsafe {
        let socket = usize::try_from(call(kernel::SOCKET, [AF_INET, SOCK_STREAM, 0, 0, 0])).ok()?;
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            let time = TIMEOUT_SECONDS.as_ptr() as usize;
            call(kernel::SETSOCKOPT, [socket, SOL_SOCKET, option, time, 16]);
        }
        if call(
            kernel::CONNECT,
            [socket, address.as_ptr() as usize, address.len(), 0, 0],
        ) != 0
        {
            return None;
        }
        for part in [b"GET ", path, b" HTTP/1.0\r\nHost: localhost\r\n\r\n"] {
            if call(
                kernel::WRITE,
                [socket, part.as_ptr() as usize, part.len(), 0, 0],
            ) != part.len() as isize
            {
                return None;
            }
        }
        let mut status = [0_u8; 10];
        let mut length = 0;
        while length < status.len() {
            let rest = &mut status[length..];
            match call(
                kernel::READ,
                [socket, rest.as_mut_ptr() as usize, rest.len(), 0, 0],
            ) {
                read if read > 0 => length += read as usize,
                _ => return None,
            }
        }
        Some(status[0] == b'H' && status[9] == b'2')
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {
        // SAFETY: exit has no memory to mind.
        unsafe { call(kernel::EXIT, [1, 0, 0, 0, 0]) };
    }
}
