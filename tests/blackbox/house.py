"""Hosts beside that of the exchange, made of network namespaces: a home behind a NAT, and a neighbour on the same link. The
namespace that we are in is the exchange's host, and must be one of our own."""

import contextlib
import ctypes
import os
import shutil
import subprocess

import trial

EXCHANGE, ROUTER_OUTSIDE, ROUTER_INSIDE, DEVICE = "198.51.100.1", "198.51.100.2", "192.168.7.1", "192.168.7.2"
ROUTER_LATER, DEVICE_LATER = "198.51.100.4", "192.168.7.3"
NEW_NETWORK = 0x40000000  # CLONE_NEWNET
LIBC = ctypes.CDLL(None, use_errno=True)


class House:
    """Devices are at DEVICE, and everybody outside sees them at ROUTER_OUTSIDE, at ports that the router chooses.
    `forgets` is after how many seconds of silence it forgets them: {"udp": 30, "tcp": 60}."""

    def __init__(self, t, forgets):
        self.router, self.home = network(t, "router"), network(t, "home")
        ip("link add world0 type veth peer name outside netns", self.router)
        ip("link add inside netns", self.router, "type veth peer name home0 netns", self.home)
        place("world0", EXCHANGE)
        with within(self.router):
            place("outside", ROUTER_OUTSIDE)
            place("inside", ROUTER_INSIDE)
            self.translate(forgets)
        with within(self.home):
            ip("link set lo up")
            place("home0", DEVICE)
            ip("route add default via", ROUTER_INSIDE)

    def translate(self, forgets):
        for line in ("add table ip nat", "add chain ip nat out { type nat hook postrouting priority 100; }",
                     "add rule ip nat out oifname outside masquerade random",
                     # Nobody outside gets in unasked.
                     "add chain ip nat through { type filter hook forward priority 0; }",
                     "add rule ip nat through iifname outside ct state new,invalid drop"):
            command("nft", line)
        settings = {"net/ipv4/ip_forward": 1, "net/netfilter/nf_conntrack_tcp_loose": 0,
                    "net/netfilter/nf_conntrack_udp_timeout": forgets["udp"],
                    "net/netfilter/nf_conntrack_udp_timeout_stream": forgets["udp"],
                    "net/netfilter/nf_conntrack_tcp_timeout_established": forgets["tcp"]}
        for name, value in settings.items():
            with open(f"/proc/sys/{name}", "w", encoding="ascii") as setting:
                setting.write(str(value))

    def lets_no_datagrams_through(self):
        """As a few offices do."""
        with within(self.router):
            command("nft", "add rule ip nat through meta l4proto udp reject")

    def is_seen_elsewhere(self):
        """Its provider gives it another address; the router forgets what it had translated to the one before."""
        with within(self.router):
            ip("addr del", f"{ROUTER_OUTSIDE}/24", "dev outside")
            place("outside", ROUTER_LATER)

    def device_moves(self):
        """Its device is given another address in the house."""
        with within(self.home):
            ip("addr del", f"{DEVICE}/24", "dev home0")
            place("home0", DEVICE_LATER)
            ip("route add default via", ROUTER_INSIDE)

    def inside(self):
        """What is started and opened meanwhile is in the house."""
        return within(self.home)


class Neighbour:
    """A host on our link, by IPv6: we are at OURS, it is at THEIRS, each a global address and a link-local one."""

    OURS, THEIRS = ("2001:db8::1", "fe80::1"), ("2001:db8::2", "fe80::2")

    def __init__(self, t):
        self.host = network(t, "neighbour")
        ip("link add here0 type veth peer name there0 netns", self.host)
        self.settle("here0", self.OURS)
        with self.inside():
            ip("link set lo up")
            self.settle("there0", self.THEIRS)

    def settle(self, link, addresses):
        for address in addresses:
            # Nobody else is there who could have the address.
            ip("addr add", f"{address}/64", "dev", link, "nodad")
        ip("link set", link, "up")

    def inside(self):
        """What is started and opened meanwhile is on the neighbour."""
        return within(self.host)


def network(t, name):
    """The id of a program that holds a network of its own."""
    holder = t.run_beside(f"{name}.txt", ["unshare", "--net", "sleep", "600"])
    ours = os.readlink("/proc/self/ns/net")
    trial.wait_for(lambda: os.readlink(f"/proc/{holder.pid}/ns/net") != ours, 5, f"there is no network for {name}")
    return holder.pid


def need_root():
    """Only root makes networks for hosts."""
    if os.geteuid():
        raise trial.Skipped("hosts are made of network namespaces, which only root can make")
    lacking = [one for one in ("nft", "ip", "unshare") if not shutil.which(one)]
    if lacking:
        raise trial.Skipped(f"hosts are made with {lacking[0]}, which is not installed: apt-get install nftables iproute2")


@contextlib.contextmanager
def within(holder):
    ours = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    theirs = os.open(f"/proc/{holder}/ns/net", os.O_RDONLY)
    try:
        enter(theirs)
        yield
    finally:
        enter(ours)
        os.close(ours)
        os.close(theirs)


def enter(network):
    if LIBC.setns(network, NEW_NETWORK):
        raise OSError(ctypes.get_errno(), "this network cannot be entered")


def place(link, address):
    ip("addr add", f"{address}/24", "dev", link)
    ip("link set", link, "up")


def ip(*words):
    command("ip", *" ".join(map(str, words)).split())


def command(*words):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
