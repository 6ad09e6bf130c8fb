//! The secret keys that sign bundles, and the public keys that hosts trust.

use std::fmt;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

/// The reason why a key cannot be made or read.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text is not a key.
    #[error("{text:?} is no public key: write its 64 hexadecimal digits, as `PublicKey` is displayed")]
    NotHex {
        /// The text, or the beginning of a long text.
        text: String,
    },

    /// The bytes are not a key of ed25519, or are a weak key, for which anybody can make signatures.
    #[error("{key} is no public key of ed25519: is it complete, and not a secret key or a hash?")]
    NotAKey {
        /// The bytes, in hexadecimal.
        key: String,
    },

    /// The system provided no random numbers.
    #[error("no key can be made: the system gives no random numbers: {reason}")]
    NoRandomness {
        /// The system's error.
        reason: String,
    },
}

crate::debug_text::debug_as_display!(KeyError);

/// The public half of a key, with which signatures of the secret half are verified.
///
/// The [`Display`](fmt::Display) of a key is 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Makes the key with these bytes.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotAKey`].
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, KeyError> {
        // A signature of a weak key may be valid for messages that were never signed.
        match VerifyingKey::from_bytes(&bytes) {
            Ok(key) if !key.is_weak() => Ok(Self(bytes)),
            _ => Err(KeyError::NotAKey { key: hex(&bytes) }),
        }
    }

    /// Reads the key that is displayed as `text`.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotHex`] or [`KeyError::NotAKey`].
    pub fn from_hex(text: &str) -> Result<Self, KeyError> {
        let bytes = unhex(text).ok_or_else(|| KeyError::NotHex { text: text.chars().take(80).collect() })?;
        Self::from_bytes(bytes)
    }

    /// Returns the bytes of the key.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 32] {
        self.0
    }

    /// Returns whether `signature` is a signature of `message` by the secret half of this key.
    pub(crate) fn signed(self, message: &[u8], signature: &[u8; 64]) -> bool {
        VerifyingKey::from_bytes(&self.0)
            .is_ok_and(|key| key.verify_strict(message, &Signature::from_bytes(signature)).is_ok())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

/// The secret half of a key, which signs bundles. Keep it where only those who sign can read it.
///
/// Dropping a secret key wipes its bytes from memory.
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// Makes a key from the system's random numbers.
    ///
    /// # Errors
    ///
    /// [`KeyError::NoRandomness`].
    pub fn generate() -> Result<Self, KeyError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| KeyError::NoRandomness { reason: error.to_string() })?;
        Ok(Self::from_bytes(bytes))
    }

    /// Makes the key with these bytes, those of [`to_bytes`](Self::to_bytes). Any 32 bytes are a key, but only random
    /// bytes are secret.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&bytes))
    }

    /// Returns the bytes of the key, to be kept secret.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Returns the public half, which hosts trust.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {})", self.public_key())
    }
}

/// Returns `bytes` in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// Returns the `N` bytes that `text` is the hexadecimal of, or `None` if `text` is not that of exactly `N` bytes.
pub(crate) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
    if digits.len() != 2 * N {
        return None;
    }
    Some(std::array::from_fn(|at| digits[2 * at] << 4 | digits[2 * at + 1]))
}

#[cfg(all(test, not(miri)))] // nothing here is unsafe, and Miri is slow at this
mod tests {
    use super::*;

    #[test]
    fn keys_survive_being_written() {
        let secret = SecretKey::generate().unwrap();
        let public = secret.public_key();
        assert_eq!(SecretKey::from_bytes(secret.to_bytes()).public_key(), public);
        assert_eq!(PublicKey::from_bytes(public.to_bytes()), Ok(public));
        assert_eq!(PublicKey::from_hex(&public.to_string()), Ok(public));
        assert_eq!(PublicKey::from_hex(&public.to_string().to_uppercase()), Ok(public));
        assert_ne!(SecretKey::generate().unwrap().public_key(), public);
    }

    #[test]
    fn a_secret_is_not_shown() {
        let secret = SecretKey::generate().unwrap();
        assert_eq!(format!("{secret:?}"), format!("SecretKey(of {})", secret.public_key()));
        assert!(!format!("{secret:?}").contains(&hex(&secret.to_bytes())));
    }

    /// The first test vector of RFC 8032.
    #[test]
    fn signatures_are_those_of_the_standard() {
        let secret = unhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").unwrap();
        let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        let signature = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b\
                         d25bf5f0595bbe24655141438e7a100b";
        let secret = SecretKey::from_bytes(secret);
        assert_eq!(secret.public_key().to_string(), public);
        assert_eq!(hex(&secret.sign(b"")), signature);
        assert!(secret.public_key().signed(b"", &unhex(signature).unwrap()));
        assert!(!secret.public_key().signed(b"x", &unhex(signature).unwrap()));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "d75a", "zz", &"0".repeat(63), &"0".repeat(66), &"é".repeat(64)] {
            assert!(matches!(PublicKey::from_hex(text), Err(KeyError::NotHex { .. })), "{text}");
        }
        // The neutral element, for which anybody can make a signature of any message, and bytes that are not a point of
        // the curve.
        let mut weak = [0; 32];
        weak[0] = 1;
        for bytes in [weak, [0; 32], [2; 32]] {
            assert_eq!(PublicKey::from_bytes(bytes), Err(KeyError::NotAKey { key: hex(&bytes) }));
        }
    }
}
