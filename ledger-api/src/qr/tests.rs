//! Pictures as people take them, and as nobody should.

use image::{DynamicImage, GrayImage, ImageFormat, Luma, LumaA, Rgba, RgbaImage};
use qrcode::{Color, EcLevel, QrCode};

use super::{PICTURE_BYTES_MAX, QrError, QrReader, said};

const SHOP: &str = "upi://pay?pa=chai@bahi&pn=Chai%20Point&mc=5814\
                    &tr=pr_01935c3a5e7c7d3e8f00a1b2c3d4e5f6&am=120.00&cu=INR";
const DARK: u8 = 17;
const LIGHT: u8 = 250;

/// A code on white, so many pixels a module, with the quiet zone that the standard asks for.
fn code(text: &str, scale: u32) -> GrayImage {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).unwrap();
    let modules = u32::try_from(code.width()).unwrap();
    let side = (modules + 8) * scale;
    GrayImage::from_fn(side, side, |x, y| {
        let (x, y) = ((x / scale).wrapping_sub(4), (y / scale).wrapping_sub(4));
        let inside = x < modules && y < modules;
        let at = |n| usize::try_from(n).unwrap();
        let dark = inside && code[(at(x), at(y))] == Color::Dark;
        Luma([if dark { DARK } else { LIGHT }])
    })
}

fn bytes(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    picture.into().write_to(&mut file, format).unwrap();
    file.into_inner()
}

fn png(picture: &GrayImage) -> Vec<u8> {
    bytes(picture.clone(), ImageFormat::Png)
}

/// A scene in which each point shows what another picture has at `(a·p, b·p) / c·p`, where `p` is
/// `(x, y, 1)`: turned, smaller, or seen from the side. Around it is grey.
fn seen((width, height): (u32, u32), of: &GrayImage, map: [[i64; 3]; 3]) -> GrayImage {
    GrayImage::from_fn(width, height, |x, y| {
        let point = [i64::from(x), i64::from(y), 1];
        let [u, v, w] = map.map(|row| row.iter().zip(point).map(|(m, p)| m * p).sum::<i64>());
        let at = |value: i64| u32::try_from(value.div_euclid(w)).ok();
        let found = at(u).zip(at(v)).and_then(|(u, v)| of.get_pixel_checked(u, v));
        found.copied().unwrap_or(Luma([140]))
    })
}

/// A scene of 900 pixels with a picture in its middle, turned and seen from the side: how far a
/// step goes in it, in millionths, and how much smaller things get to the right and below.
fn about(of: &GrayImage, turn: [[i64; 2]; 2], (right, below): (i64, i64)) -> GrayImage {
    let (one, middle, half) = (1_000_000, 450, i64::from(of.width()) / 2);
    let row = |[x, y]: [i64; 2]| [x + half * right, y + half * below, half * one];
    let [across, down] = turn.map(row);
    let moved = |[x, y, plus]: [i64; 3]| [x, y, plus - (x + y) * middle];
    seen((900, 900), of, [across, down, [right, below, one]].map(moved))
}

/// Grain, and light that falls off from one corner to the other.
fn as_photographed(picture: &GrayImage, grain: u32) -> GrayImage {
    let mut state = 7_u32;
    let (width, height) = picture.dimensions();
    GrayImage::from_fn(width, height, |x, y| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = i64::from(state >> 16) % (2 * i64::from(grain) + 1) - i64::from(grain);
        let light = 100 - 45 * i64::from(x + y) / i64::from(width + height);
        let shade = i64::from(picture.get_pixel(x, y).0[0]) * light / 100 + noise;
        Luma([u8::try_from(shade.clamp(0, 255)).unwrap()])
    })
}

fn beside(left: &GrayImage, right: &GrayImage) -> GrayImage {
    let gap = 60;
    let (height, width) = (left.height().max(right.height()), left.width() + gap + right.width());
    GrayImage::from_fn(width, height, |x, y| {
        let of_left = left.get_pixel_checked(x, y);
        let of_right =
            x.checked_sub(left.width() + gap).and_then(|x| right.get_pixel_checked(x, y));
        of_left.or(of_right).copied().unwrap_or(Luma([LIGHT]))
    })
}

#[test]
fn plain_codes_are_read_at_every_size_and_in_both_forms() {
    for scale in [2, 4, 9] {
        assert_eq!(said(&png(&code(SHOP, scale))).as_deref(), Ok(SHOP), "{scale}");
    }
    let jpeg = bytes(code(SHOP, 5), ImageFormat::Jpeg);
    assert_eq!(said(&jpeg).as_deref(), Ok(SHOP));
    let long = format!("bahi:pay?to=@ravi&tn={}", "x".repeat(600));
    assert_eq!(said(&png(&code(&long, 4))), Ok(long));
    let hindi = "चाय ₹120";
    assert_eq!(said(&png(&code(hindi, 6))).as_deref(), Ok(hindi));
}

#[test]
fn small_ones_in_strong_grain_too() {
    for (scale, grain) in [(5, 40), (6, 60), (8, 70)] {
        let photo = as_photographed(&code(SHOP, scale), grain);
        assert_eq!(said(&png(&photo)).as_deref(), Ok(SHOP), "{scale} pixels, grain of {grain}");
    }
}

#[test]
fn turned_slanted_and_grainy_ones_too() {
    let flat = code(SHOP, 8);
    let quarter = image::imageops::rotate90(&flat);
    let half = image::imageops::rotate180(&flat);
    // Turned by 27 degrees; by 45 and smaller; slanted; and as from the side.
    let turned = about(&flat, [[891_000, 454_000], [-454_000, 891_000]], (0, 0));
    let small = about(&flat, [[990_000, 990_000], [-990_000, 990_000]], (0, 0));
    let slanted = about(&flat, [[950_000, 80_000], [50_000, 900_000]], (0, 0));
    let tilted = about(&flat, [[950_000, 40_000], [-30_000, 950_000]], (400, 250));
    for (what, picture) in [
        ("a quarter", quarter),
        ("upside down", half),
        ("turned", turned),
        ("turned and small", small),
        ("slanted", slanted),
        ("tilted", tilted),
    ] {
        assert_eq!(said(&png(&picture)).as_deref(), Ok(SHOP), "{what}");
        let photo = bytes(as_photographed(&picture, 2), ImageFormat::Jpeg);
        assert_eq!(said(&photo).as_deref(), Ok(SHOP), "{what}, photographed");
    }
}

#[test]
fn a_large_photograph_is_searched_in_a_smaller_version() {
    let flat = code(SHOP, 20);
    let map = [[891, 454, -1_000_000], [-454, 891, 300_000], [0, 0, 1000]];
    let scene = as_photographed(&seen((4_000, 3_000), &flat, map), 30);
    let photo = bytes(scene, ImageFormat::Jpeg);
    assert!(photo.len() < PICTURE_BYTES_MAX, "{}", photo.len());
    assert_eq!(said(&photo).as_deref(), Ok(SHOP));
}

#[test]
fn colours_and_what_is_transparent_are_seen_on_white() {
    let flat = code(SHOP, 5);
    let blue = RgbaImage::from_fn(flat.width(), flat.height(), |x, y| {
        let dark = flat.get_pixel(x, y).0[0] == DARK;
        if dark { Rgba([20, 40, 160, 255]) } else { Rgba([0, 0, 0, 0]) }
    });
    assert_eq!(said(&bytes(blue, ImageFormat::Png)).as_deref(), Ok(SHOP));
    let veiled = image::GrayAlphaImage::from_fn(flat.width(), flat.height(), |x, y| {
        LumaA([0, 255 - flat.get_pixel(x, y).0[0]])
    });
    assert_eq!(said(&bytes(veiled, ImageFormat::Png)).as_deref(), Ok(SHOP));
}

#[test]
fn two_codes_are_no_answer_and_the_same_one_twice_is_one() {
    let (shop, ravi) = (code(SHOP, 5), code("bahi:pay?to=@ravi", 7));
    assert_eq!(said(&png(&beside(&shop, &ravi))), Err(QrError::Several));
    assert_eq!(said(&png(&beside(&ravi, &ravi))).as_deref(), Ok("bahi:pay?to=@ravi"));
}

#[test]
fn what_shows_no_code_or_is_no_picture_is_told_apart() {
    let white = GrayImage::from_pixel(600, 400, Luma([LIGHT]));
    assert_eq!(said(&png(&white)), Err(QrError::NoCode));
    assert_eq!(said(&png(&as_photographed(&white, 120))), Err(QrError::NoCode));
    assert_eq!(said(&png(&GrayImage::from_pixel(1, 1, Luma([0])))), Err(QrError::NoCode));
    // Half a code, and one that is crossed out.
    let mut torn = code(SHOP, 6);
    for (_, y, pixel) in torn.enumerate_pixels_mut() {
        if y > 150 {
            *pixel = Luma([LIGHT]);
        }
    }
    assert_eq!(said(&png(&torn)), Err(QrError::NoCode));
    for bad in [
        &b""[..],
        b"GIF89a\x01\0\x01\0\0\0\0;",
        b"%PDF-1.7",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"upi://pay?pa=chai@bahi",
    ] {
        assert_eq!(said(bad), Err(QrError::NotAPicture));
    }
    let whole = png(&code(SHOP, 6));
    for kept in [8, 20, 40, whole.len() / 2, whole.len() - 20] {
        assert_eq!(said(&whole[..kept]), Err(QrError::Damaged), "{kept}");
    }
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 0xff;
    assert_eq!(said(&flipped), Err(QrError::Damaged));
    let jpeg = bytes(code(SHOP, 6), ImageFormat::Jpeg);
    assert!(matches!(said(&jpeg[..30]), Err(QrError::Damaged)));
    assert!(matches!(said(&jpeg[..jpeg.len() / 3]), Err(QrError::Damaged | QrError::NoCode)));
}

/// A PNG that says that it is so large, with next to nothing in it.
fn claimed(width: u32, height: u32) -> Vec<u8> {
    let mut header = b"IHDR".to_vec();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 6, 0, 0, 0]);
    let mut crc = u32::MAX;
    for byte in &header {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    let mut file = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    file.extend(header);
    file.extend((!crc).to_be_bytes());
    file.extend(&png(&code("x", 2))[33..]);
    file
}

#[test]
fn what_would_fill_the_memory_is_refused_by_what_it_says_of_itself() {
    for (width, height) in [(60_000, 60_000), (16_000, 16_000), (5_000, 5_000), (u32::MAX >> 1, 1)]
    {
        let read = said(&claimed(width, height));
        assert_eq!(read, Err(QrError::TooManyPixels), "{width} × {height}");
    }
    let mut jpeg = bytes(code("x", 4), ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|two| two == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0x7f, 0xff, 0x7f, 0xff]);
    assert_eq!(said(&jpeg), Err(QrError::TooManyPixels));
    assert_eq!(said(&vec![0; PICTURE_BYTES_MAX + 1]), Err(QrError::TooManyBytes));
}

/// A picture full of the corners of codes that are none would be searched for hours.
#[test]
fn a_picture_made_to_be_searched_for_ever_is_given_up() {
    let corner = |x: u32, y: u32| {
        let from_middle = x.abs_diff(4).max(y.abs_diff(4));
        matches!(from_middle, 0 | 1 | 3)
    };
    let tiled = GrayImage::from_fn(900, 900, |x, y| {
        Luma([if corner(x / 2 % 9, y / 2 % 9) { DARK } else { LIGHT }])
    });
    let started = std::time::Instant::now();
    assert_eq!(said(&png(&tiled)), Err(QrError::NoCode));
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_reader_reads_and_waits_for_its_turn_only_so_long() {
    let reader = QrReader::default();
    let picture: bytes::Bytes = png(&code(SHOP, 4)).into();
    assert_eq!(reader.read(picture.clone()).await.as_deref(), Ok(SHOP));
    assert_eq!(reader.read(bytes::Bytes::new()).await, Err(QrError::NotAPicture));
    let slots = std::sync::Arc::clone(&reader.slots);
    let taken = slots.acquire_many(2).await.unwrap();
    assert_eq!(reader.read(picture.clone()).await, Err(QrError::Busy));
    drop(taken);
    assert!(reader.read(picture).await.is_ok());
}
