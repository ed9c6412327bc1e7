use crossbeam_channel::{Receiver, Sender};
use media::Clip;
use media_api::{Codec, speech_of};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Music in Opus takes a second to write; a prompt need not wait for it.
const READERS: usize = 2;
/// A service may take seconds to say something; a prompt, and what others say, need not wait for it.
const SPEAKERS: usize = 4;
/// The kinds of files, in the order in which they are looked for.
pub const SOUND_KINDS: [&str; 5] = ["opus", "wav", "flac", "mp3", "ogg"];
/// Sources that may wait to be read; one more is answered as unreadable at once.
const REQUESTS: usize = 4096;
/// The same of texts that are to be said: they take longer, and nobody listens for so long.
const TEXTS: usize = 256;
/// Bytes of a file that are read: five minutes of WAV at 48 kHz in mono, hours of Opus.
const FILE_MAX: u64 = 32 << 20;

/// Prompts and music by source (`LANG/KEY`, `moh/NAME`), read from folders by threads of their own, written in each codec
/// that somebody wants to hear them in, and kept while there is room. Clones are the same store; the threads end with the last.
#[derive(Clone, Debug)]
pub struct SoundStore {
    cache: Arc<Mutex<Cache>>,
    files: Sender<Request>,
    texts: Sender<Request>,
}

/// Says a text in a language: its samples, and how many there are a second. It may take seconds.
pub type Voice = Arc<dyn Fn(&str, &str) -> Option<(Vec<i16>, u32)> + Send + Sync>;

type Answer = Box<dyn FnOnce(Wish, Option<Arc<Clip>>) + Send>;

/// A source, and the codec that its clip is to be written in.
pub type Wish = (Arc<str>, Codec);

struct Request {
    wish: Wish,
    answer: Answer,
}

impl SoundStore {
    /// A store that looks for a source as `FOLDER/SOURCE.opus`, `.wav`, `.flac`, `.mp3` and `.ogg`, in each folder
    /// in turn, and keeps at most `cache_bytes` of what was last heard. What is to be said by a voice, `voice` says.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn new(folders: Vec<PathBuf>, voice: Option<Voice>, cache_bytes: usize) -> io::Result<SoundStore> {
        let cache = Arc::new(Mutex::new(Cache { limit: cache_bytes, ..Cache::default() }));
        let loader = Loader { folders: folders.into(), voice, cache: cache.clone() };
        let files = loader.start("sounds", READERS, REQUESTS)?;
        let texts = loader.start("words", SPEAKERS, TEXTS)?;
        Ok(SoundStore { cache, files, texts })
    }

    /// The clip of a source in a codec, if it is at hand.
    pub fn cached(&self, wish: &Wish) -> Option<Arc<Clip>> {
        lock(&self.cache).get(wish)
    }

    /// Reads the source on a thread of the store and calls `answer` there; nothing if it cannot be read.
    pub fn load(&self, wish: Wish, answer: impl FnOnce(Wish, Option<Arc<Clip>>) + Send + 'static) {
        let requests = if speech_of(&wish.0).is_some() { &self.texts } else { &self.files };
        if let Err(refused) = requests.try_send(Request { wish, answer: Box::new(answer) }) {
            let Request { wish, answer } = refused.into_inner();
            let waiting = requests.len();
            tracing::warn!(waiting, "too many sounds wait to be read; one more is passed over");
            answer(wish, None);
        }
    }
}

#[derive(Clone)]
struct Loader {
    folders: Arc<[PathBuf]>,
    voice: Option<Voice>,
    cache: Arc<Mutex<Cache>>,
}

impl Loader {
    /// So many threads that do what is asked of them; `waiting` may wait.
    fn start(&self, name: &str, threads: usize, waiting: usize) -> io::Result<Sender<Request>> {
        let (requests, inbox) = crossbeam_channel::bounded(waiting);
        for number in 0..threads {
            let (loader, inbox) = (self.clone(), inbox.clone());
            std::thread::Builder::new().name(format!("{name}-{number}")).spawn(move || loader.run(&inbox))?;
        }
        Ok(requests)
    }

    fn run(self, inbox: &Receiver<Request>) {
        while let Ok(Request { wish, answer }) = inbox.recv() {
            let at_hand = lock(&self.cache).get(&wish);
            let clip = at_hand.or_else(|| self.read(&wish));
            answer(wish, clip);
        }
    }

    fn read(&self, wish: &Wish) -> Option<Arc<Clip>> {
        let (source, codec) = wish;
        if let Some((language, words)) = speech_of(source) {
            let (samples, rate) = self.voice.as_ref()?(language, words)?;
            return Some(self.keep(wish, Clip::new(*codec, &samples, rate)));
        }
        if !is_safe(source) {
            tracing::warn!(%source, "a sound's source may hold only a-z, 0-9, _ and -, in parts divided by /");
            return None;
        }
        let candidates = self
            .folders
            .iter()
            .flat_map(|folder| SOUND_KINDS.map(|kind| folder.join(format!("{source}.{kind}"))));
        for path in candidates {
            let read = match read_file(&path) {
                Ok(bytes) => audio::prompt::read(&bytes, *codec).map_err(|error| error.to_string()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => Err(error.to_string()),
            };
            match read {
                Ok(clip) if clip.is_empty() => {
                    tracing::warn!(path = %path.display(), "a sound is empty: record it again");
                }
                Ok(clip) => return Some(self.keep(wish, clip)),
                Err(error) => tracing::warn!(path = %path.display(), %error, "a sound cannot be read"),
            }
        }
        None
    }

    fn keep(&self, wish: &Wish, clip: Clip) -> Arc<Clip> {
        let clip = Arc::new(clip);
        lock(&self.cache).insert(wish.clone(), clip.clone());
        clip
    }
}

fn read_file(path: &PathBuf) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// No part can be empty, hidden, absolute or lead upwards: a dot is not allowed at all.
fn is_safe(source: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
    };
    source.split('/').all(is_part)
}

/// The clips last heard, within a number of bytes.
#[derive(Debug, Default)]
struct Cache {
    clips: HashMap<Wish, Cached>,
    bytes: usize,
    limit: usize,
    /// Counts the uses, to tell which was longest ago.
    uses: u64,
}

#[derive(Debug)]
struct Cached {
    clip: Arc<Clip>,
    last_use: u64,
}

impl Cache {
    fn get(&mut self, wish: &Wish) -> Option<Arc<Clip>> {
        self.uses += 1;
        let cached = self.clips.get_mut(wish)?;
        cached.last_use = self.uses;
        Some(cached.clip.clone())
    }

    fn insert(&mut self, wish: Wish, clip: Arc<Clip>) {
        let size = clip.size();
        if size > self.limit {
            return;
        }
        self.uses += 1;
        self.bytes += size;
        if let Some(old) = self.clips.insert(wish, Cached { clip, last_use: self.uses }) {
            self.bytes -= old.clip.size();
        }
        while self.bytes > self.limit {
            let oldest = self.clips.iter().min_by_key(|(_, cached)| cached.last_use);
            let Some(oldest) = oldest.map(|(wish, _)| wish.clone()) else { return };
            if let Some(old) = self.clips.remove(&oldest) {
                self.bytes -= old.clip.size();
            }
        }
    }
}

fn lock(cache: &Mutex<Cache>) -> MutexGuard<'_, Cache> {
    cache.lock().unwrap_or_else(PoisonError::into_inner)
}
