//! The number of sent bytes that a client's TCP stack has not acknowledged. The kernel reports it
//! by its socket diagnostics (`sock_diag(7)`). The ioctl `SIOCOUTQ` reports the same number, but
//! only unsafe code could call it.

use rustix::{
    fd::OwnedFd,
    net::{RecvFlags, SendFlags, recv, send},
};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    sync::{Arc, Mutex, PoisonError},
};

/// The type of the netlink message (`SOCK_DIAG_BY_FAMILY`).
const BY_FAMILY: u16 = 20;

/// The flag of a netlink message that is a request (`NLM_F_REQUEST`).
const REQUEST: u16 = 1;

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const IPPROTO_TCP: u8 = 6;

/// The state of a listening socket (`TCP_LISTEN`). Where the connection is gone, the kernel reports
/// the socket that listens on its local address.
const LISTENING: u8 = 10;

/// The size of a question: `struct nlmsghdr` (16 bytes) and `struct inet_diag_req_v2` (56 bytes).
const QUESTION_BYTES: u32 = 72;

/// The size of the buffer for an answer, which is larger than any answer about one socket.
const ANSWER_BYTES_MAX: usize = 512;

/// The offsets in an answer, in bytes: the message's type and sequence number, the socket's state,
/// and the size of its send queue (`idiag_wqueue`).
const TYPE_AT: usize = 4;
const SEQUENCE_AT: usize = 8;
const STATE_AT: usize = 17;
const QUEUE_AT: usize = 76;

/// A netlink socket through which the kernel is asked about send queues.
#[derive(Debug)]
pub(super) struct SendQueues {
    kernel: OwnedFd,
    /// The sequence number of the last question. The lock makes sure that there is one question at
    /// a time.
    sequence: Mutex<u32>,
}

impl SendQueues {
    /// Opens the socket. Returns `None` where the kernel has no socket diagnostics, or a sandbox
    /// forbids them.
    #[cfg(target_os = "linux")]
    pub(super) fn open() -> Option<Arc<Self>> {
        use rustix::net::{AddressFamily, SocketFlags, SocketType, netlink, socket_with};
        let kernel = socket_with(
            AddressFamily::NETLINK,
            SocketType::DGRAM,
            SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
            Some(netlink::SOCK_DIAG),
        );
        let queues = Self { kernel: kernel.ok()?, sequence: Mutex::new(0) };
        queues.are_reported().then(|| Arc::new(queues))
    }

    /// Returns whether the kernel finds a socket that exists. A kernel without the diagnostics of
    /// TCP answers as if there were no such socket.
    fn are_reported(&self) -> bool {
        let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)) else { return false };
        let Ok(local) = listener.local_addr() else { return false };
        let nobody = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        self.ask(local, nobody).is_some_and(|answer| message_type(&answer) == Some(BY_FAMILY))
    }

    /// Returns `None`: only Linux has socket diagnostics.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn open() -> Option<Arc<Self>> {
        None
    }

    /// Returns the kernel's answer about the socket between two addresses; `None` where asking
    /// failed.
    fn ask(&self, local: SocketAddr, peer: SocketAddr) -> Option<[u8; ANSWER_BYTES_MAX]> {
        let mut sequence = self.sequence.lock().unwrap_or_else(PoisonError::into_inner);
        *sequence = sequence.wrapping_add(1);
        send(&self.kernel, &question(*sequence, local, peer), SendFlags::DONTWAIT).ok()?;
        // The kernel answers before `send` returns. An answer to an earlier question is still
        // queued only where the call of `recv` for it failed.
        loop {
            let mut answer = [0; ANSWER_BYTES_MAX];
            recv(&self.kernel, &mut answer, RecvFlags::DONTWAIT).ok()?;
            if number(&answer, SEQUENCE_AT)? == *sequence {
                return Some(answer);
            }
        }
    }
}

/// Builds the netlink message that asks about the socket between two addresses.
fn question(sequence: u32, local: SocketAddr, peer: SocketAddr) -> Vec<u8> {
    let mut question = Vec::new();
    // The header: length, type, flags, sequence number, and port 0, which is the kernel.
    question.extend(QUESTION_BYTES.to_ne_bytes());
    question.extend(BY_FAMILY.to_ne_bytes());
    question.extend(REQUEST.to_ne_bytes());
    question.extend(sequence.to_ne_bytes());
    question.extend(0_u32.to_ne_bytes());
    // The family, the protocol, no extensions, padding, and a mask of all states.
    let family = if local.is_ipv4() { AF_INET } else { AF_INET6 };
    question.extend([family, IPPROTO_TCP, 0, 0]);
    question.extend(u32::MAX.to_ne_bytes());
    // The socket: its ports, its addresses, its interface, and the cookie that matches any socket.
    question.extend(local.port().to_be_bytes());
    question.extend(peer.port().to_be_bytes());
    question.extend(address(local));
    question.extend(address(peer));
    let interface = if let SocketAddr::V6(local) = local { local.scope_id() } else { 0 };
    question.extend(interface.to_ne_bytes());
    question.extend([0xff; 8]);
    question
}

/// Returns the bytes of an IP address, padded with zeros to 16.
fn address(of: SocketAddr) -> [u8; 16] {
    match of.ip() {
        IpAddr::V6(address) => address.octets(),
        IpAddr::V4(address) => {
            let mut octets = [0; 16];
            octets.iter_mut().zip(address.octets()).for_each(|(to, from)| *to = from);
            octets
        }
    }
}

/// Returns the 32-bit number at an offset of an answer.
fn number(answer: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(answer.get(at..at + 4)?.try_into().ok()?))
}

/// Returns the type of the message that is the answer.
fn message_type(answer: &[u8]) -> Option<u16> {
    Some(u16::from_ne_bytes(answer.get(TYPE_AT..TYPE_AT + 2)?.try_into().ok()?))
}

/// Returns the bytes in the send queue, those in flight included; `None` where the kernel did not
/// find the socket.
fn queued(answer: &[u8]) -> Option<u64> {
    let found = message_type(answer)? == BY_FAMILY && *answer.get(STATE_AT)? != LISTENING;
    if found { number(answer, QUEUE_AT).map(u64::from) } else { None }
}

/// The send queue of one connection.
#[derive(Debug)]
pub(super) struct SendQueue {
    queues: Arc<SendQueues>,
    local: SocketAddr,
    peer: SocketAddr,
}

impl SendQueue {
    pub(super) fn new(queues: &Arc<SendQueues>, local: SocketAddr, peer: SocketAddr) -> Self {
        Self { queues: Arc::clone(queues), local, peer }
    }

    /// Returns the number of bytes that the client's TCP stack has not acknowledged; `None` where
    /// the kernel does not report it. The end of the stream counts as one byte.
    pub(super) fn unacknowledged(&self) -> Option<u64> {
        queued(&self.queues.ask(self.local, self.peer)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::{Read, Write},
        net::TcpStream,
    };

    fn pair(address: &str) -> (TcpStream, TcpStream, SendQueue) {
        let listener = TcpListener::bind(address).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, peer) = listener.accept().unwrap();
        let queues = SendQueues::open().unwrap();
        let queue = SendQueue::new(&queues, server.local_addr().unwrap(), peer);
        (client, server, queue)
    }

    #[test]
    fn bytes_are_unacknowledged_until_the_client_reads_them() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let (mut client, mut server, queue) = pair(address);
            assert_eq!(queue.unacknowledged(), Some(0));
            server.set_nonblocking(true).unwrap();
            let mut sent = 0;
            while let Ok(bytes) = server.write(&[0; 65_536]) {
                sent += bytes;
            }
            let unread = queue.unacknowledged().unwrap();
            assert!(unread > 0 && unread <= sent as u64, "{unread} of {sent}");
            client.read_exact(&mut vec![0; sent]).unwrap();
            while queue.unacknowledged() != Some(0) {
                std::thread::yield_now();
            }
        }
    }

    #[test]
    fn nothing_is_reported_of_a_socket_that_does_not_exist() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let local = listener.local_addr().unwrap();
        let queue = SendQueue::new(&SendQueues::open().unwrap(), local, local);
        assert_eq!(queue.unacknowledged(), None);
        drop(listener);
        assert_eq!(queue.unacknowledged(), None);
    }
}
