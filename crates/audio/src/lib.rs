//! Samples: G.711, Opus prompts, resampling, tones, WAV
