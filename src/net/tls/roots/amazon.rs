//! The roots of Amazon Trust Services, to which the certificates of all AWS endpoints chain.
//!
//! Amazon asks programs with a list of their own to trust these five
//! (<https://www.amazontrust.com/repository/>): its own roots 1 to 4 differ in the kind of key; Starfield's is
//! older and has cross-signed the other four.

use rustls::pki_types::{Der, TrustAnchor};

/// Amazon Root CA 1 to 4 and Starfield Services G2, sorted by subject.
pub static ROOTS: [TrustAnchor<'static>; 5] = [
    anchor(AMAZON_1, &AMAZON_1_KEY),
    anchor(AMAZON_2, &AMAZON_2_KEY),
    anchor(AMAZON_3, &AMAZON_3_KEY),
    anchor(AMAZON_4, &AMAZON_4_KEY),
    anchor(STARFIELD, &STARFIELD_KEY),
];

const fn anchor(subject: &'static str, key: &'static [u8]) -> TrustAnchor<'static> {
    TrustAnchor {
        subject: Der::from_slice(subject.as_bytes()),
        subject_public_key_info: Der::from_slice(key),
        name_constraints: None,
    }
}

/// A subject in DER without its outermost header: country, organization and the given common name.
macro_rules! amazon {
    ($common_name:literal) => {
        concat!(
            "1\x0b0\x09\x06\x03U\x04\x06\x13\x02US",
            "1\x0f0\x0d\x06\x03U\x04\x0a\x13\x06Amazon",
            "1\x190\x17\x06\x03U\x04\x03\x13\x10",
            $common_name
        )
    };
}

const AMAZON_1: &str = amazon!("Amazon Root CA 1");
const AMAZON_2: &str = amazon!("Amazon Root CA 2");
const AMAZON_3: &str = amazon!("Amazon Root CA 3");
const AMAZON_4: &str = amazon!("Amazon Root CA 4");
const STARFIELD: &str = concat!(
    "1\x0b0\x09\x06\x03U\x04\x06\x13\x02US",
    "1\x100\x0e\x06\x03U\x04\x08\x13\x07Arizona",
    "1\x130\x11\x06\x03U\x04\x07\x13\x0aScottsdale",
    "1%0#\x06\x03U\x04\x0a\x13\x1cStarfield Technologies, Inc.",
    "1;09\x06\x03U\x04\x03\x132Starfield Services Root Certificate Authority - G2"
);

// The public keys, as in the certificates: algorithm and key in DER, without the outermost header.

/// RSA, 2048 bits.
const AMAZON_1_KEY: [u8; 290] = bytes(
    "\
    300d06092a864886f70d01010105000382010f003082010a0282010100b2788071ca78d5e371af478050747d6ed8d78876f4\
    9968f7582160f97484012fac022d86d3a0437a4eb2a4d036ba01be8ddb48c80717364cf4ee8823c73eeb37f5b519f84968b0\
    ded7b976381d619ea4fe8236a5e54a56e445e1f9fdb416fa74da9c9b35392ffab02050066c7ad080b2a6f9afec47198f5038\
    07dca2873958f8bad5a9f948673096ee94785e6f89a351c0308666a14566ba54eba3c391f948dcffd1e8302d7d2d747035d7\
    8824f79ec4596ebb738717f2324628b843fab71daacab4f29f240e2d4bf7715c5e69ffea9502cb388aae50386fdbfb2d621b\
    c5c71e54e177e067c80f9c8723d63f40207f2080c4804c3e3b24268e04ae6c9ac8aa0d0203010001",
);
/// RSA, 4096 bits.
const AMAZON_2_KEY: [u8; 546] = bytes(
    "\
    300d06092a864886f70d01010105000382020f003082020a0282020100ad969f2d9c4a4c4a81795199ec8acb6b605113bc4d\
    6d06fcb0088ddd19106ac7260c35d8c06f2084e994b19b8503c35bdb4ae8c8f89076d95b4fe34ce806364dcc9aac3d0c902b\
    92d4061960ac374479858182ad5a37e00dcc9da64c5276ea439db704d150f655e0d5d2a64985e937e9ca7eae5c954d489a3f\
    ae205a6d8895d934b8521a4390b0bf6c05b9b678b7ead0e43a3c125362ff4af27bbe3505a91234e3f36474622c3d00495a28\
    fe3244bb87dd652702713bda4af71fdacdf72155904f0fecae82e19f6bd945d3bbf05f87ed3c2c3986da3fdeec7255eb79a3\
    addbdd7cb0ba1ccefcde4f3576cf0ff8781f6a36514627615be99ecff0a2557d7c258a6f2fb4c5cf842e2bfd0d51106cfb5f\
    1bbc1b7ec5ae3b98013192ff0b57f49ab2b957e9abef0d76d1f0eef4ce86a7e06ee9b469a1df69f633c6692e97139ea587b0\
    57108137c953b3bb7ff692d19cd018f4926eda834fa663994ca5fb5eef21647a205f6c648515cb37e9620c0b2a16dc012e32\
    da3e4bf59e3af6174094ef9e910886fabe63a85a33eccb744395f96c695236c7296ffc55035c1ffb9fbd47ebe74947950b4e\
    89220949e0f5611ef1bf2e8a726e8059ff573af97532a34e5feced2862d94d73f2cc811760edcdebdcdba7cac57e02bdf254\
    0854fdb42d092c17544a98d154e1516708d2ed6e7e6f3fd22d81592966cb903995111e7427feddebaf0203010001",
);
/// EC, P-256.
const AMAZON_3_KEY: [u8; 89] = bytes(
    "\
    301306072a8648ce3d020106082a8648ce3d030107034200042997a7c6417fc00d9be8011b56c6f252a5ba2db212e8d22ed7\
    fac9c5d8aa6d1f73813b3b986b397c33a5c54e868e8017686245577d44581db337e56708eb66de",
);
/// EC, P-384.
const AMAZON_4_KEY: [u8; 118] = bytes(
    "\
    301006072a8648ce3d020106052b8104002203620004d2ab8a374fa3530dfec18a7b4ba87b464b63b062f62d1bdb087121d2\
    00e863bd9a27fbf0396e5dea3da5c981aaa35b2098455d16dbfde8106de39ce0e3bd5f8462f3706433a0cb242f70ba88a12a\
    a075f881ae6206c481db396e29b01efa2e5c",
);
/// RSA, 2048 bits.
const STARFIELD_KEY: [u8; 290] = bytes(
    "\
    300d06092a864886f70d01010105000382010f003082010a0282010100d50c3ac42af94ee2f5be19975f8e8853b11f3fcbcf\
    9f20136d293ac80f7d3cf76b763863d93660a89b5e5c0080b22f597ff687f9254386e7691b529a90e171e3d82d0d4e6ff6c8\
    49d9b6f31a56ae2bb67414ebcffb26e31aba1d962e6a3b5894894756ff25a093705383da847414c3679e04683adf8e405a1d\
    4a4ecf43913be756d60070cb52ee7b7dae3ae7bc31f945f6c260cf1359022b80cc3447dfb9de90656d02cf2c91a6a6e7de85\
    18497c664ea33a6da9b5ee342eba0d03b833df47ebb16b8d25d99bce81d1454632967087de020e494385b66c73bb64ea6141\
    acc9d454df872fc722b226cc9f5954689ffcbe2a2fc4551c75406017850255398b7f050203010001",
);

/// Decodes hexadecimal digits at compile time.
#[expect(clippy::panic, clippy::indexing_slicing, reason = "they end the compilation, not the program")]
const fn bytes<const N: usize>(digits: &str) -> [u8; N] {
    const fn value(digit: u8) -> u8 {
        match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => panic!("not a hexadecimal digit"),
        }
    }
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    assert!(pairs.len() == N && rest.is_empty(), "not so many bytes");
    let mut bytes = [0; N];
    let mut at = 0;
    while at < N {
        let [high, low] = pairs[at];
        bytes[at] = value(high) << 4 | value(low);
        at += 1;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_equal_those_in_mozillas_list_byte_for_byte() {
        let names = |anchor: &TrustAnchor<'_>, part: &str| {
            anchor.subject.as_ref().windows(part.len()).any(|window| window == part.as_bytes())
        };
        let mut mozillas: Vec<_> = webpki_roots::TLS_SERVER_ROOTS
            .iter()
            .filter(|anchor| names(anchor, "Amazon") || names(anchor, "Starfield Services"))
            .cloned()
            .collect();
        mozillas.sort_by(|a, b| a.subject.as_ref().cmp(b.subject.as_ref()));
        assert_eq!(mozillas, ROOTS);
    }
}
