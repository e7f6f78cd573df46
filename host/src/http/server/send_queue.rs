//! How much of what was sent a client's side has not acknowledged. The kernel says so by its
//! socket diagnostics (`sock_diag(7)`): the safe way to ask what the ioctl `SIOCOUTQ` tells.

use rustix::{
    fd::OwnedFd,
    net::{RecvFlags, SendFlags, recv, send},
};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    sync::{Arc, Mutex, PoisonError},
};

/// `SOCK_DIAG_BY_FAMILY`, `NLM_F_REQUEST`.
const BY_FAMILY: u16 = 20;
const REQUEST: u16 = 1;

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const IPPROTO_TCP: u8 = 6;

/// The state of a socket that listens, which the kernel reports where the connection has gone.
const LISTENS: u8 = 10;

/// `struct nlmsghdr` and `struct inet_diag_req_v2`.
const QUESTION_BYTES: u32 = 72;

/// More than the answer about one socket has.
const ANSWER_BYTES_MAX: usize = 512;

/// Where the answer has the type, the sequence number, the state and `idiag_wqueue`.
const TYPE_AT: usize = 4;
const SEQUENCE_AT: usize = 8;
const STATE_AT: usize = 17;
const QUEUE_AT: usize = 76;

/// Asks the kernel about send queues.
#[derive(Debug)]
pub(super) struct SendQueues {
    kernel: OwnedFd,
    /// The sequence number of the last question. One question is asked at a time.
    asked: Mutex<u32>,
}

impl SendQueues {
    /// Returns `None` where the kernel, or a sandbox before it, has no socket diagnostics.
    #[cfg(target_os = "linux")]
    pub(super) fn open() -> Option<Arc<Self>> {
        use rustix::net::{AddressFamily, SocketFlags, SocketType, netlink, socket_with};
        let kernel = socket_with(
            AddressFamily::NETLINK,
            SocketType::DGRAM,
            SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
            Some(netlink::SOCK_DIAG),
        );
        let queues = Self { kernel: kernel.ok()?, asked: Mutex::new(0) };
        queues.are_told().then(|| Arc::new(queues))
    }

    /// Whether the kernel tells of a socket that exists. A kernel without the part that does
    /// answers as if there were no such socket.
    fn are_told(&self) -> bool {
        let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)) else { return false };
        let Ok(local) = listener.local_addr() else { return false };
        let nobody = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        self.ask(local, nobody).is_some_and(|answer| kind(&answer) == Some(BY_FAMILY))
    }

    /// Returns `None`: other systems have no socket diagnostics.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn open() -> Option<Arc<Self>> {
        None
    }

    /// What the kernel says about the socket between two addresses.
    fn ask(&self, local: SocketAddr, peer: SocketAddr) -> Option<[u8; ANSWER_BYTES_MAX]> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        *asked = asked.wrapping_add(1);
        send(&self.kernel, &question(*asked, local, peer), SendFlags::DONTWAIT).ok()?;
        // The kernel answers before `send` returns. Answers to questions before this one are
        // there only where a reading of them failed.
        loop {
            let mut answer = [0; ANSWER_BYTES_MAX];
            recv(&self.kernel, &mut answer, RecvFlags::DONTWAIT).ok()?;
            if number(&answer, SEQUENCE_AT)? == *asked {
                return Some(answer);
            }
        }
    }
}

fn question(sequence: u32, local: SocketAddr, peer: SocketAddr) -> Vec<u8> {
    let mut question = Vec::new();
    // The header: length, type, flags, sequence number, and the kernel as the receiver.
    question.extend(QUESTION_BYTES.to_ne_bytes());
    question.extend(BY_FAMILY.to_ne_bytes());
    question.extend(REQUEST.to_ne_bytes());
    question.extend(sequence.to_ne_bytes());
    question.extend(0_u32.to_ne_bytes());
    // Family, protocol, no extensions, padding, any state.
    let family = if local.is_ipv4() { AF_INET } else { AF_INET6 };
    question.extend([family, IPPROTO_TCP, 0, 0]);
    question.extend(u32::MAX.to_ne_bytes());
    // The socket: its ports, addresses and interface, any cookie.
    question.extend(local.port().to_be_bytes());
    question.extend(peer.port().to_be_bytes());
    question.extend(address(local));
    question.extend(address(peer));
    let interface = if let SocketAddr::V6(local) = local { local.scope_id() } else { 0 };
    question.extend(interface.to_ne_bytes());
    question.extend([0xff; 8]);
    question
}

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

fn number(answer: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(answer.get(at..at + 4)?.try_into().ok()?))
}

fn kind(answer: &[u8]) -> Option<u16> {
    Some(u16::from_ne_bytes(answer.get(TYPE_AT..TYPE_AT + 2)?.try_into().ok()?))
}

/// Bytes in the send queue or in flight; `None` where the socket was not found.
fn queued(answer: &[u8]) -> Option<u64> {
    let found = kind(answer)? == BY_FAMILY && *answer.get(STATE_AT)? != LISTENS;
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

    /// Bytes that the client's side has not acknowledged; `None` where that cannot be known.
    /// An acknowledgement that the end of the stream awaits counts as one byte.
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
    fn what_a_client_does_not_read_is_unacknowledged_until_it_does() {
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
    fn nothing_is_known_of_a_socket_that_does_not_exist() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let local = listener.local_addr().unwrap();
        let queue = SendQueue::new(&SendQueues::open().unwrap(), local, local);
        assert_eq!(queue.unacknowledged(), None);
        drop(listener);
        assert_eq!(queue.unacknowledged(), None);
    }
}
