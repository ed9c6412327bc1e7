//! Whatever is wrong in a configuration is told with its place and what to do, and nothing is opened.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails panics")]

mod support;

use std::net::UdpSocket;
use support::{Folder, home, run, text};

/// What `cornetta check` says of a configuration.
fn faults_of(folder: &Folder) -> Vec<String> {
    let output = run(folder.path(), &["check", "-c", "cornetta.toml"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    let told = text(&output.stderr);
    let mut lines: Vec<String> = told.lines().map(str::to_owned).collect();
    let count = lines.pop().unwrap();
    let plural = if lines.len() == 1 { "fault" } else { "faults" };
    assert_eq!(count, format!("{} {plural}; nothing was changed", lines.len()));
    lines
}

/// Each configuration and the one fault that it has, without the file's name.
const ONE_FAULT: &[(&str, &str)] = &[
    ("[media]\ncodecs = [\"PCMA\", \"G729\"]\n", "2:19: there is no codec `G729`; did you mean `G722`?"),
    (
        "[media]\ncodecs = [\"speex\"]\n",
        "2:11: there is no codec `speex`; choose from opus, G722, PCMA, PCMU, L16",
    ),
    (
        "[media]\ncodecs = []\n",
        "2:10: without a codec nobody could be spoken with; name at least one codec, or leave `codecs` out",
    ),
    (
        "[[trunk]]\nname = \"tim\"\naddress = \"udp:192.0.2.1:5060\"\ncodecs = [\"PCMA\", \"pcma\"]\n",
        "4:19: `pcma` is written twice; keep one of the two",
    ),
    (
        "[media]\nmedia_security = \"always\"\n",
        "2:18: `media_security` cannot be `always`; write one of \"off\", \"optional\", \"required\"",
    ),
    (
        "[media]\nmedia_security = \"required\"\n",
        "1:2: media must be encrypted, and no device can come by TLS; add \"tls:…\" or \"wss:…\" to `listen` under [sip], \
         or write `keys_in_clear = true`",
    ),
    (
        "[[trunk]]\nname = \"tim\"\naddress = \"udp:192.0.2.1:5060\"\nmedia_security = \"required\"\n",
        "1:1: media of the trunk `tim` must be encrypted, and its keys could be read on the way; write its `address` as \
         \"tls:…\", or `keys_in_clear = true`",
    ),
    (
        "[[trunk]]\nname = \"tim\"\naddress = \"udp:192.0.2.1:5060\"\nchannels = 0\n",
        "4:12: `channels` is out of range; write a number from 1 to 100000",
    ),
    (
        "[[trunk]]\nname = \"tim\"\naddress = \"udp:192.0.2.1:5060\"\ncents_per_minute = { \"+39\" = 0.6543 }\n",
        "4:30: `+39` is no number from 0 with three decimals at most; write it like 2 or 0.65",
    ),
    (
        "[[trunk]]\nname = \"tim\"\naddress = \"udp:192.0.2.1:5060\"\n[[route]]\nname = \"all\"\ntrunks = [\"tin\"]\n",
        "6:11: there is no trunk `tin`; did you mean `tim`?",
    ),
    (
        "[[trunk]]\nname = \"tim\"\naddress = \"udp:192.0.2.1:5060\"\n[[route]]\nname = \"all\"\ntrunks = [\"tim\", \"tim\"]\n",
        "6:18: `tim` is named twice; keep one of the two",
    ),
    (
        "[[route]]\nname = \"all\"\ntrunks = []\n",
        "3:10: the route leads nowhere; name the trunks that are tried, such as [\"landline\", \"mobile\"]",
    ),
    (
        "[[trunk]]\nname = \"tim\"\naddress = \"udp:192.0.2.1:5060\"\n[[route]]\nname = \"none\"\ncountries = [\"IT\"]\ntrunks = [\"tim\"]\n",
        "4:1: the route takes no number; write `kinds`, `countries` abroad or `prefixes`, or none of them for every number",
    ),
    (
        "[[trunk]]\nname = \"tim\"\naddress = \"udp:192.0.2.1:5060\"\n[[route]]\nname = \"all\"\ntrunks = [\"tim\"]\nchoose = \"cost\"\n",
        "4:1: no trunk of this route has a price to choose by; write `cents_per_minute` at its trunks",
    ),
    (
        "[[trunk]]\nname = \"tim\"\naddress = \"udp:192.0.2.1:5060\"\n[[route]]\nname = \"all\"\ntrunks = [\"tim\"]\n\
         [[route]]\nname = \"abroad\"\nprefixes = [\"+44\"]\ntrunks = [\"tim\"]\n",
        "7:1: this route is never taken: one before it takes every number; write it before that one",
    ),
    (
        "[[trunk]]\nname = \"tim\"\naddress = \"udp:192.0.2.1:5060\"\n[[route]]\nname = \"uk\"\nprefixes = [\"+44\"]\ntrunks = [\"tim\"]\n\
         [[route]]\nname = \"uk\"\ntrunks = [\"tim\"]\nchoose = \"order\"\n",
        "8:1: the route `uk` is written twice; give each its own name",
    ),
    (
        "[[outbound]]\nname = \"abroad\"\ncountries = [\"FR\", \"UK\"]\n",
        "3:20: no country with a calling code of its own is `UK`; write its letters as ISO 3166 has them, such as \"GB\" for the United Kingdom",
    ),
    (
        "[[agent]]\nname = \"tim\"\npassword = \"secret-1234\"\nlanguages = [\"it\"]\n\
         [[trunk]]\nname = \"tim\"\naddress = \"udp:192.0.2.1:5060\"\n\
         [[outbound]]\nname = \"italy\"\nkinds = [\"fixed\"]\nwho = [\"tim\"]\n",
        "11:8: `tim` is an agent and a trunk; give one of the two another name",
    ),
    (
        "[[outbound]]\nname = \"italy\"\nkinds = [\"fixed\"]\nlongest = \"30s\"\n",
        "4:11: `longest` is out of range; write a span from 60s to 24h",
    ),
    ("[sip\n", "1:5: this is not TOML: unclosed table, expected `]`; correct the line"),
    ("[sipp]\n", "1:2: unknown key `sipp`; did you mean `sip`?"),
    ("sip = 5\n", "1:7: `sip` is of the wrong kind (integer); write a table"),
    ("[numbers]\narea = \"Roma\"\n", "2:8: `area` is not dialled; write digits, +, * and # only"),
    (
        "[[trunk]]\nname = \"tim\"\naddress = \"udp:192.0.2.1:5060\"\nsends = \"E164\"\n",
        "4:9: `sends` cannot be `E164`; write one of \"e164\", \"plain\", \"00\", \"national\"",
    ),
    (
        "[[service]]\nnumber = \"800100100\"\nkind = \"echo\"\n\
         [[service]]\nnumber = \"+39800100100\"\nkind = \"echo\"\n",
        "5:10: `+39800100100` has two services; keep one of the two",
    ),
    ("[node]\nname = \"la sede\"\n", "2:8: a node's name is part of ids; write letters and digits only"),
    ("[sip]\nlisten = []\n", "2:10: SIP is listened on nowhere; write one address at least"),
    (
        "[sip]\nlisten = [\"127.0.0.1:5060\"]\n",
        "2:11: `127.0.0.1:5060` is not a SIP address; write a transport, an IP address and a port, such as \"udp:192.0.2.1:5060\"",
    ),
    (
        "[sip]\nlisten = [\"udp:127.0.0.1:5060\", \"udp:127.0.0.1:5060\"]\n",
        "2:33: `udp:127.0.0.1:5060` is written twice; keep one of the two",
    ),
    (
        "[sip]\nlisten = \"udp:0.0.0.0:5060\"\n",
        "2:10: phones that call `udp:0.0.0.0:5060` would be told to speak to this machine's loopback; write `address` under [media]: the IP address of this machine that they can reach",
    ),
    (
        "[sip]\nlisten = \"udp:192.0.2.1:5060\"\n[media]\naddress = \"127.0.0.1\"\n",
        "2:10: phones that call `udp:192.0.2.1:5060` would be told to speak to this machine's loopback; write `address` under [media]: the IP address of this machine that they can reach",
    ),
    (
        "[sip]\nopen_to = [\"10.0.0.0/8\", \"10.0.0.0/33\"]\n",
        "2:26: `10.0.0.0/33` is not a network; write an address or a network such as \"192.0.2.0/24\"",
    ),
    (
        "[sip]\npublic_address = \"example.org\"\n",
        "2:18: `example.org` cannot be understood; write the IP address that the world sees",
    ),
    (
        "[sip]\nlisten = [\"tls:127.0.0.1:5061\"]\n",
        "2:10: TLS is listened on without a certificate; write `certificate` and `key` under [sip.tls]",
    ),
    (
        "[sip]\nlisten = [\"udp:127.0.0.1:5060\"]\n[sip.tls]\nkey = \"desk.key\"\n",
        "3:6: a certificate needs its key, and a key its certificate; write both",
    ),
    (
        "[sip]\nstun = \"somewhere\"\n",
        "2:8: `somewhere` is not a STUN server; write a host and a port, such as \"stun.example.org:3478\"",
    ),
    ("[sip]\ndigest = [\"SHA-1\", \"MD5\"]\n", "2:11: `SHA-1` is no digest; write \"SHA-256\" or \"MD5\""),
    (
        "[media]\naddress = \"0.0.0.0\"\n",
        "2:11: the unspecified address would be told to phones; write the IP address of the interface that phones can reach",
    ),
    (
        "[media]\naddress = [\"192.0.2.1\", \"::\"]\n",
        "2:25: the unspecified address would be told to phones; write the IP address of the interface that phones can reach",
    ),
    (
        "[media]\naddress = [\"192.0.2.1\", \"2001:db8::1\", \"192.0.2.2\"]\n",
        "2:40: `192.0.2.2` is a second IPv4 address; keep one of each family: one IPv4 address, one IPv6 address",
    ),
    (
        "[media]\naddress = \"ff02::1\"\n",
        "2:11: `ff02::1` is the address of many, not of one; write the IP address that phones can reach",
    ),
    (
        "[media]\naddress = []\n",
        "2:11: `address` holds no address; write the IP address that phones can reach",
    ),
    (
        "[media]\naddress = \"192.0.2.1\"\npublic_address = [\"203.0.113.5\", \"2001:db8::5\"]\n",
        "3:34: there is no IPv6 `address` for which `2001:db8::5` could be shown; write one under [media], or leave `2001:db8::5` out",
    ),
    (
        "[sip]\nlisten = [\"udp:192.0.2.1:5060\", \"udp:[2001:db8::1]:5060\"]\n[media]\naddress = [\"192.0.2.1\", \"::1\"]\n",
        "2:33: phones that call `udp:[2001:db8::1]:5060` would be told to speak to this machine's loopback; write `address` under [media]: the IP address of this machine that they can reach",
    ),
    (
        "[media]\naddress = \"here\"\n",
        "2:11: `here` cannot be understood; write the IP address that phones can reach",
    ),
    (
        "[media]\nports = \"32767-16384\"\n",
        "2:9: `32767-16384` is not a range of ports; write it like \"16384-32767\"",
    ),
    ("[media]\nthreads = 0\n", "2:11: `threads` is out of range; write a number from 1 to 64"),
    (
        "[limits]\nhalf_open_each = 0\n",
        "2:18: `half_open_each` is out of range; write a number from 1 to 100000",
    ),
    ("[limits]\nconnections = 8\n", "2:15: `connections` is out of range; write a number from 16 to 100000"),
    ("[limits]\ncalls = \"many\"\n", "2:9: `calls` is of the wrong kind (string); write a whole number"),
    (
        "[http]\nlisten = \"8080\"\n",
        "2:10: `8080` cannot be understood; write an IP address and a port, such as \"127.0.0.1:8080\"",
    ),
    (
        "[http]\nlisten = \"0.0.0.0:8080\"\n",
        "2:10: the web address would be open to other machines without any credentials; listen on 127.0.0.1, or write at least one [[token]]",
    ),
    (
        "[trace]\nkeep = \"7 days\"\n",
        "2:8: `7 days` is not a span of time; write a number and d, h or m, such as \"7d\"",
    ),
    ("[trace]\nkeep = \"400d\"\n", "2:8: `keep` is out of range; write a span from 1m to 366d"),
    ("[trace]\nsize_max = 5\n", "2:12: `size_max` is of the wrong kind (integer); write a text in quotes"),
    (
        "[trace]\nsize_max = \"1TB\"\n",
        "2:12: `1TB` is not a size; write a number and MB or GB, such as \"1GB\"",
    ),
    ("[trace]\nsize_max = \"0MB\"\n", "2:12: `0MB` is out of range; write a size from 1MB to 1000GB"),
    ("[recordings]\nfree_min = \"0GB\"\n", "2:12: `0GB` is out of range; write a size from 1MB to 1000GB"),
    ("[recordings]\nfolder = 5\n", "2:10: `folder` is of the wrong kind (integer); write a text in quotes"),
    ("[recordings]\nkeep = \"7d\"\n", "2:1: unknown key `keep`; take it out; known here: folder, free_min"),
    (
        "[trace]\nhep = \"tcp:192.0.2.9:9060\"\n",
        "2:7: messages go to Homer by UDP alone; write Homer's address, such as \"udp:192.0.2.9:9060\"",
    ),
    (
        "[guard]\nenabled = false\n",
        "2:1: unknown key `enabled`; take it out; known here: ban_max, ban_min, never_ban, per_second",
    ),
    ("[guard]\nper_second = 0\n", "2:14: `per_second` is out of range; write a number from 1 to 1000"),
    ("[guard]\nban_min = \"10s\"\n", "2:11: `ban_min` is out of range; write a span from 60s to 24h"),
    (
        "[guard]\nban_min = \"2h\"\nban_max = \"1h\"\n",
        "3:1: the longest ban is shorter than the first; write `ban_min` below `ban_max`",
    ),
    (
        "[guard]\nnever_ban = [\"192.0.2.0/24\", \"0.0.0.0/0\"]\n",
        "2:1: `0.0.0.0/0` is a large part of the Internet, and nobody in it would be kept out; name the networks of your own phones and operators",
    ),
    (
        "[trust]\nfetch_from = [\"certs.example.it\", \"https://certs.example.it\"]\nfetch_ca = []\n",
        "2:35: `https://certs.example.it` is not a host; write its name, and its port if it is not 443, such as \"certs.example.it:8443\"",
    ),
    (
        "[trust]\nfetch_ca = [\"web-ca.pem\"]\n",
        "2:1: there is nobody to be believed; write `fetch_from`, or leave this out",
    ),
    ("[look_ups]\nmore = 1\n", "2:1: unknown key `more`; take it out; known here: ca"),
    ("[trace]\nhep_id = 5\n", "2:1: there is no Homer to say this to; write its address as `hep`"),
    (
        "[[token]]\nname = \"crm\"\nscopes = [\"events:read\"]\n",
        "1:1: a token has either a secret or the hash of one; write `sha256`, or `secret`",
    ),
    (
        "[[token]]\nname = \"crm\"\nscopes = [\"events:reed\"]\nsecret = \"0123456789abcdef\"\n",
        "3:11: there is no scope `events:reed`; choose from events:read, call:any, call:capture, record, recording:read, supervise, agent:any, pii:clear, security:any, emergency:any, caller:forget, config:reload, metrics:read",
    ),
    (
        "[[token]]\nname = \"crm\"\nscopes = []\nsecret = \"guess\"\n",
        "4:10: a token's secret has fewer than 16 characters; make one with: openssl rand -hex 32",
    ),
    (
        "[[token]]\nname = \"crm\"\nscopes = []\nsha256 = \"9f86\"\n",
        "4:10: a token's hash is not 64 hexadecimal digits; make it with: printf %s SECRET | sha256sum",
    ),
    (
        "[sounds]\nfolders = [\"SOUNDS\", \"voci\"]\n",
        "2:SOUNDS: there is no folder `voci`; name a folder of sounds",
    ),
    ("[scripts]\nfolder = \"menus\"\n", "2:10: there is no folder `menus`; name the folder of scripts"),
    ("[[queue]]\nname = \"\"\n", "2:8: `name` is empty; name the queue"),
    ("[[queue]]\nwaiting_max = 5\n", "1:1: `name` is missing; name the queue"),
    (
        "[[queue]]\nname = \"a\"\n[[queue]]\nname = \"a\"\n",
        "3:1: the queue `a` is written twice; give each its own name",
    ),
    (
        "[[queue]]\nname = \"a\"\nwrapup = \"10\"\n",
        "3:10: `10` is not a span of time; write a number and s, m or h, such as \"20s\"",
    ),
    (
        "[[queue]]\nname = \"a\"\noffer_deadline = \"0s\"\n",
        "3:18: `offer_deadline` is out of range; write a span from 1s to 24h",
    ),
    (
        "[[agent]]\nname = \"anna\"\nlanguages = [\"it\"]\n",
        "1:1: `password` is missing; give the secret here, or `password_file`",
    ),
    (
        "[[agent]]\nname = \"anna\"\nlanguages = [\"it\"]\npassword = \"\"\n",
        "4:12: an empty secret keeps nobody out; write a longer one",
    ),
    (
        "[[agent]]\nname = \"anna\"\nlanguages = [\"it\"]\npassword = \"a\"\npassword_file = \"b\"\n",
        "4:1: there are both `password` and `password_file`; keep one of the two",
    ),
    (
        "[[agent]]\nname = \"anna\"\nlanguages = [\"it\"]\npassword_file = \"none\"\n",
        "4:17: `none` cannot be read: No such file or directory (os error 2); name a file that holds the secret alone",
    ),
    (
        "[[agent]]\nname = \"anna\"\npassword = \"a\"\n",
        "1:1: an agent without languages is never called; write `languages`, such as [\"it\"]",
    ),
    (
        "[[agent]]\nname = \"anna\"\npassword = \"a\"\nlanguages = [\"it\"]\n\
         [[agent]]\nname = \"anna\"\npassword = \"b\"\nlanguages = [\"it\"]\n",
        "5:1: the agent `anna` is written twice; give each their own name",
    ),
    (
        "[[queue]]\nname = \"desk\"\n\
         [[agent]]\nname = \"anna\"\npassword = \"a\"\nlanguages = [\"it\"]\nqueues = [\"desk\", \"deks\"]\n",
        "7:19: there is no queue `deks`; did you mean `desk`?",
    ),
    (
        "[[trunk]]\nname = \"tim\"\n",
        "1:1: `address` is missing; such as \"sip.operator.example\" or \"udp:192.0.2.1:5060\"",
    ),
    (
        "[sip]\nlisten = \"udp:127.0.0.1:5060\"\n[[trunk]]\nname = \"tim\"\naddress = \"tcp:192.0.2.1:5060\"\n",
        "5:11: no socket of this kind is listened on; add one to `listen` under [sip]",
    ),
    (
        "[[trunk]]\nname = \"tim\"\naddress = \"udp:192.0.2.1:5060\"\nregister = true\n",
        "1:1: a trunk that registers needs credentials; write `user` and `password`",
    ),
    (
        "[[trunk]]\nname = \"tim\"\naddress = \"udp:192.0.2.1:5060\"\npassword = \"a\"\n",
        "1:1: a trunk has both a user and a password, or neither; write `user`, and `password` or `password_file`",
    ),
    (
        "[[trunk]]\nname = \"tim\"\naddress = \"udp:192.0.2.1:5060\"\n\
         [[trunk]]\nname = \"tim\"\naddress = \"udp:192.0.2.2:5060\"\n",
        "4:1: the trunk `tim` is written twice; give each its own name",
    ),
    (
        "[[speech]]\nlanguages = [\"sl\"]\nurl = \"https://a.example/\"\nvoice = \"anna\"\nkey = \"env:NO_SUCH_KEY\"\n",
        "5:7: the environment has no `NO_SUCH_KEY`; set NO_SUCH_KEY where the exchange is started",
    ),
    (
        "[[service]]\nkind = \"echo\"\n",
        "1:1: `number` is missing; write the number that is dialled, or \"*\" for any other",
    ),
    (
        "[[service]]\nnumber = \"1\"\n",
        "1:1: `kind` is missing; write `script`, or `kind`: \"silence\", \"play\", \"echo\", \"room\" or \"dial\"",
    ),
    (
        "[[service]]\nnumber = \"1\"\nkind = \"ecko\"\n",
        "3:8: there is no kind `ecko`; write `script`, or `kind`: \"silence\", \"play\", \"echo\", \"room\" or \"dial\"",
    ),
    (
        "[[service]]\nnumber = \"1\"\nkind = \"echo\"\n[[service]]\nnumbers = [\"2\", \"1\"]\nkind = \"echo\"\n",
        "5:17: `1` has two services; keep one of the two",
    ),
    (
        "[[service]]\nnumber = \"*\"\nkind = \"echo\"\n[[service]]\nnumber = \"*\"\nkind = \"echo\"\n",
        "5:10: `*` has two services; keep one of the two",
    ),
    (
        "[[service]]\nnumber = \"1\"\nkind = \"dial\"\nto = \"sip:anna@[2001:db8::1]:5060\"\n",
        "4:6: `sip:anna@[2001:db8::1]:5060` is no SIP URI, or one of a kind that is not listened on; write it like \"sip:user@192.0.2.1:5060\"",
    ),
    (
        "[[trunk]]\nname = \"tim\"\naddress = \"udp:192.0.2.1:5060\"\n\
         [[service]]\nnumber = \"1\"\nkind = \"dial\"\nto = \"0612\"\ntrunk = \"tin\"\n",
        "8:9: there is no trunk `tin`; did you mean `tim`?",
    ),
    (
        "[[service]]\nnumber = \"1\"\nscript = \"helpdesc\"\n",
        "3:10: there is no sound script `helpdesc`; did you mean `helpdesk`?",
    ),
    (
        "[[service]]\nnumber = \"1\"\nscript = \"small\"\n",
        "3:10: the script `small` uses the queue `helpdesk`, which is not there; write it under [[queue]]",
    ),
    (
        "[[queue]]\nname = \"helpdesk\"\n[[service]]\nnumber = \"1\"\nscript = \"small\"\nlanguage = \"de\"\n",
        "6:12: the script does not speak `de`; choose one of the script's languages",
    ),
];

const SMALL: &str = "title = \"Small\"\nlanguages = [\"it\"]\nstart = \"wait\"\n[wait]\nqueue = \"helpdesk\"\nmusic = \"moh/calm\"\n";

#[test]
fn every_kind_of_fault_is_told_with_its_place_and_what_to_do() {
    let sounds = home().join("sounds").display().to_string();
    for (config, fault) in ONE_FAULT {
        // The sounds of the repository, so that a script has what it says.
        let config = config.replace("SOUNDS", &sounds);
        let folder = Folder::new(&config);
        std::os::unix::fs::symlink(home().join("sounds"), folder.path().join("sounds")).unwrap();
        for name in ["small", "helpdesk"] {
            folder.write(&format!("ivr-scripts/{name}/flow.toml"), SMALL);
            folder.write(&format!("ivr-scripts/{name}/phrases/it.toml"), "");
        }
        let fault = fault.replace("SOUNDS", &(sounds.chars().count() + 16).to_string());
        assert_eq!(faults_of(&folder), [format!("cornetta.toml:{fault}")], "{config}");
    }
}

#[test]
fn a_script_that_puts_calls_through_to_nowhere_is_a_fault() {
    let table = [
        ("sip:anna@[2001:db8::1]:5060", "which is no SIP URI, or one of a kind that is not listened on"),
        ("0612345678", "but there is no trunk"),
    ];
    for (target, why) in table {
        let folder = Folder::new("[[service]]\nnumber = \"1\"\nscript = \"through\"\n");
        let flow = format!(
            "title = \"Through\"\nlanguages = [\"it\"]\nstart = \"on\"\n[on]\ntransfer = \"{target}\"\n"
        );
        folder.write("ivr-scripts/through/flow.toml", &flow);
        folder.write("ivr-scripts/through/phrases/it.toml", "");
        let told = faults_of(&folder).join("\n");
        let expected =
            format!("cornetta.toml:3:10: the script `through` puts calls through to `{target}`, {why}; ");
        assert!(told.contains(&expected), "{told}");
    }
}

#[test]
fn a_script_that_calls_back_from_a_queue_that_is_not_there_is_a_fault() {
    let folder = Folder::new("[[service]]\nnumber = \"1\"\nscript = \"back\"\n");
    let flow = "title = \"Back\"\nlanguages = [\"it\"]\nstart = \"on\"\n[on]\ncallback = \"evening\"\nnext = \"end\"\n\
                [end]\nhang_up = \"callback\"\nrefusal = true\n";
    folder.write("ivr-scripts/back/flow.toml", flow);
    folder.write("ivr-scripts/back/phrases/it.toml", "");
    let fault =
        "3:10: the script `back` uses the queue `evening`, which is not there; write it under [[queue]]";
    assert_eq!(faults_of(&folder), [format!("cornetta.toml:{fault}")]);
}

#[test]
fn interpreters_whose_queue_is_not_there_are_a_fault() {
    let config = "[[service]]\nnumber = \"1\"\nscript = \"small\"\n[[queue]]\nname = \"helpdesk\"\n";
    let folder = Folder::new(config);
    let flow = "title = \"Small\"\nlanguages = [\"it\"]\nstart = \"wait\"\n[wait]\nqueue = \"helpdesk\"\n";
    let interpreter = "interpreter = { queue = \"interpreters\", say = \"hello\" }\n";
    folder.write("ivr-scripts/small/flow.toml", &format!("{flow}{interpreter}"));
    folder.write("ivr-scripts/small/phrases/it.toml", "hello = \"Buongiorno\"\n");
    let sounds = folder.path().join("sounds/it");
    std::fs::create_dir_all(&sounds).unwrap();
    std::fs::copy(home().join("sounds/it/goodbye.opus"), sounds.join("hello.opus")).unwrap();
    let told = faults_of(&folder).join("\n");
    let expected = "cornetta.toml:3:10: the script `small` has interpreters in the queue `interpreters`, which is not there; \
                    write it under [[queue]]";
    assert!(told.contains(expected), "{told}");
}

#[test]
fn a_script_that_wants_an_agent_whom_nobody_knows_is_a_fault() {
    let agent = "[[agent]]\nname = \"anna\"\npassword = \"pw\"\nlanguages = [\"it\"]\n";
    for (wanted, what_to_do) in [("ana", "did you mean `anna`?"), ("zeno", "write them under [[agent]]")] {
        let folder = Folder::new(&format!("[[service]]\nnumber = \"1\"\nscript = \"through\"\n{agent}"));
        let flow = "title = \"Through\"\nlanguages = [\"it\"]\nstart = \"on\"\n[on]\n";
        folder.write("ivr-scripts/through/flow.toml", &format!("{flow}transfer = \"agent:{wanted}\"\n"));
        folder.write("ivr-scripts/through/phrases/it.toml", "");
        let told = faults_of(&folder).join("\n");
        let expected = format!(
            "cornetta.toml:3:10: the script `through` puts calls through to the agent `{wanted}`, who is not there; \
             {what_to_do}"
        );
        assert!(told.contains(&expected), "{told}");
    }
}

#[test]
fn the_faults_of_a_configuration_and_of_its_scripts_are_told_together() {
    let config = "[sipp]\n[[service]]\nnumber = \"1\"\nscript = \"small\"\n";
    let folder = Folder::new(config);
    folder.write("ivr-scripts/small/flow.toml", &SMALL.replace("start = \"wait\"", "start = \"wat\""));
    folder.write("ivr-scripts/small/phrases/it.toml", "welcome = \"Benvenuti\"\n");
    let faults = faults_of(&folder);
    let told = faults.join("\n");
    assert!(told.contains("cornetta.toml:1:2: unknown key `sipp`; did you mean `sip`?"), "{told}");
    assert!(
        told.contains("ivr-scripts/small/flow.toml:3:9: unknown node `wat`; did you mean `wait`?"),
        "{told}"
    );
}

#[test]
fn what_a_look_up_lacks_on_this_machine_is_a_fault() {
    let folder = Folder::new("");
    let who = "[who]\nlook_up = \"clients\"\nwith = { number = \"$caller\" }\n\
               found = \"wait\"\nmissing = \"wait\"\nfailed = \"wait\"\n";
    let flow =
        SMALL.replace("start = \"wait\"", "start = \"who\"").replace("music = \"moh/calm\"\n", "") + who;
    folder.write("ivr-scripts/small/flow.toml", &flow);
    folder.write("ivr-scripts/small/phrases/it.toml", "");
    let look_up = "takes = [\"number\"]\ngives = [\"name\"]\n[http]\nurl = \"http://127.0.0.1:1/\"\n\
                   headers = { Authorization = \"env:NO_SUCH_TOKEN\" }\n";
    folder.write("ivr-scripts/small/look_ups/clients.toml", look_up);
    let told = faults_of(&folder).join("\n");
    let fault = "look_ups/clients.toml:1:1: the environment has no `NO_SUCH_TOKEN`; set NO_SUCH_TOKEN where";
    assert!(told.contains(fault), "{told}");
}

#[test]
fn the_key_of_a_speech_service_stands_in_a_file_beside_the_configuration() {
    let speech = "[[speech]]\nlanguages = [\"sl\"]\nurl = \"https://a.example/\"\nvoice = \"anna\"\nkey = \"file:key\"\n";
    let folder = Folder::new(speech);
    let fault = "5:7: `key` cannot be read: No such file or directory (os error 2); name a readable file";
    assert_eq!(faults_of(&folder), [format!("cornetta.toml:{fault}")]);
    folder.write("key", "secret\n");
    let config = folder.path().join("cornetta.toml");
    let output = run(&home(), &["check", "-c", config.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn a_file_that_is_not_there_is_a_fault_and_so_is_an_unknown_option() {
    let folder = Folder::new("");
    let output = run(folder.path(), &["check", "-c", "none.toml"]);
    assert_eq!(output.status.code(), Some(2));
    let told = text(&output.stderr);
    assert!(told.starts_with("none.toml:1:1: the configuration cannot be read: No such file"), "{told}");
    assert_eq!(run(folder.path(), &["check", "--confg", "x"]).status.code(), Some(2));
}

#[test]
fn a_wrong_configuration_stops_the_program_before_anything_is_opened() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    // The port is taken: had it been opened first, that would be what is told.
    let folder = Folder::new(&format!("[sip]\nlisten = \"udp:{address}\"\nopn_to = []\n"));
    let output = run(folder.path(), &["serve"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        text(&output.stderr),
        "cornetta.toml:3:1: unknown key `opn_to`; did you mean `open_to`?\n1 fault; nothing was changed\n"
    );
    assert_eq!(text(&output.stdout), "");
    assert!(!folder.path().join("data").exists());
}

#[test]
fn every_example_is_sound() {
    let mut checked = 0;
    for entry in std::fs::read_dir(home().join("examples")).unwrap() {
        let config = entry.unwrap().path().join("cornetta.toml");
        let output = run(&home(), &["check", "-c", config.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains(": sound: "), "{}", text(&output.stdout));
        checked += 1;
    }
    assert!(checked >= 2);
}
