//! The tree against the RFC's own definitions and vectors; notes against a published one; and what
//! becomes of a proof of which anything was changed.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// The leaves of the reference implementation of RFC 6962, and the roots of their trees.
const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/// A tree in memory, by its leaves' hashes.
struct Tree(Vec<Hash>);

impl Tree {
    fn of(leaves: u64) -> Self {
        Self((0..leaves).map(|n| leaf_hash(&n.to_be_bytes())).collect())
    }

    /// MTH(D[from:to]), as the RFC defines it.
    fn root(&self, from: usize, to: usize) -> Hash {
        match to - from {
            0 => empty_root(),
            1 => self.0[from],
            size => {
                let middle = from + size.next_power_of_two() / 2;
                node_hash(&self.root(from, middle), &self.root(middle, to))
            }
        }
    }

    fn root_of(&self, size: u64) -> Hash {
        self.root(0, usize::try_from(size).unwrap())
    }

    /// PATH(index, D[from:to]), as the RFC defines it.
    fn path(&self, index: usize, (from, to): (usize, usize)) -> Vec<Hash> {
        if to - from <= 1 {
            return Vec::new();
        }
        let middle = from + (to - from).next_power_of_two() / 2;
        let (mut path, sibling) = if index < middle {
            (self.path(index, (from, middle)), self.root(middle, to))
        } else {
            (self.path(index, (middle, to)), self.root(from, middle))
        };
        path.push(sibling);
        path
    }
}

impl Nodes for Tree {
    fn node(&self, level: u32, index: u64) -> Option<Hash> {
        let (from, to) = (index << level, (index + 1) << level);
        let (from, to) = (usize::try_from(from).ok()?, usize::try_from(to).ok()?);
        (to <= self.0.len()).then(|| self.root(from, to))
    }
}

#[test]
fn the_reference_vectors_hold() {
    let mut frontier = Frontier::default();
    let mut tree = Tree(Vec::new());
    assert_eq!(hex::encode(frontier.root()), ROOTS[0]);
    for (leaf, root) in LEAVES.iter().zip(&ROOTS[1..]) {
        let leaf = leaf_hash(&hex::decode(leaf).unwrap());
        frontier.push(leaf);
        tree.0.push(leaf);
        assert_eq!(hex::encode(frontier.root()), **root);
        assert_eq!(hex::encode(root_at(frontier.size(), &tree).unwrap()), **root);
    }
}

/// The example of RFC 6962, section 2.1.3: seven leaves, nodes a to l.
#[test]
#[expect(clippy::many_single_char_names, reason = "the names that the RFC gives the nodes")]
fn the_rfcs_own_example_has_the_rfcs_own_paths() {
    let tree = Tree::of(7);
    let leaf = |n: usize| tree.0[n];
    let [a, b, c, d, e, f, j] = [leaf(0), leaf(1), leaf(2), leaf(3), leaf(4), leaf(5), leaf(6)];
    let (g, h, i) = (node_hash(&a, &b), node_hash(&c, &d), node_hash(&e, &f));
    let (k, l) = (node_hash(&g, &h), node_hash(&i, &j));
    let path = |index| inclusion_proof(index, 7, &tree).unwrap();
    assert_eq!(path(0), [b, h, l]);
    assert_eq!(path(3), [c, g, l]);
    assert_eq!(path(4), [f, j, k]);
    assert_eq!(path(6), [i, k]);
    let consistency = |old| consistency_proof(old, 7, &tree).unwrap();
    assert_eq!(consistency(3), [c, d, g, l]);
    assert_eq!(consistency(4), [l]);
    assert_eq!(consistency(6), [i, j, k]);
}

#[test]
fn every_proof_of_every_small_tree_is_the_rfcs_and_holds() {
    let tree = Tree::of(70);
    for size in 0..=70 {
        let root = tree.root_of(size);
        assert_eq!(root_at(size, &tree), Some(root));
        for index in 0..size {
            let proof = inclusion_proof(index, size, &tree).unwrap();
            let at = usize::try_from(index).unwrap();
            assert_eq!(proof, tree.path(at, (0, usize::try_from(size).unwrap())));
            assert!(verify_inclusion(&tree.0[at], index, size, &root, &proof));
        }
        for old in 0..=size {
            let proof = consistency_proof(old, size, &tree).unwrap();
            assert!(verify_consistency((old, &tree.root_of(old)), (size, &root), &proof));
        }
        assert!(inclusion_proof(size, size, &tree).is_none());
        assert!(consistency_proof(size + 1, size, &tree).is_none());
    }
}

proptest! {
    #[test]
    fn no_proof_holds_for_anything_else(
        size in 1_u64..300,
        index in 0_u64..300,
        other in 0_u64..300,
        flip in 0_usize..32,
        at in 0_usize..10,
    ) {
        let index = index % size;
        let tree = Tree::of(size);
        let (root, leaf) = (tree.root_of(size), tree.0[usize::try_from(index).unwrap()]);
        let proof = inclusion_proof(index, size, &tree).unwrap();
        let mut changed = proof.clone();
        if let Some(hash) = changed.get_mut(at % proof.len().max(1)) {
            hash[flip] ^= 1;
            prop_assert!(!verify_inclusion(&leaf, index, size, &root, &changed));
        }
        let mut longer = proof.clone();
        longer.push(leaf);
        prop_assert!(!verify_inclusion(&leaf, index, size, &root, &longer));
        if let Some((_, shorter)) = proof.split_last() {
            prop_assert!(!verify_inclusion(&leaf, index, size, &root, shorter));
        }
        let mut other_leaf = leaf;
        other_leaf[flip] ^= 1;
        prop_assert!(!verify_inclusion(&other_leaf, index, size, &root, &proof));
        if other != index {
            prop_assert!(!verify_inclusion(&leaf, other, size, &root, &proof));
        }
    }

    #[test]
    fn no_tree_goes_on_from_one_that_it_does_not_begin_with(
        size in 2_u64..300, old in 1_u64..300, changed in 0_u64..300, flip in 0_usize..32,
    ) {
        let old = 1 + old % (size - 1);
        let mut tree = Tree::of(size);
        let (old_root, root) = (tree.root_of(old), tree.root_of(size));
        let proof = consistency_proof(old, size, &tree).unwrap();
        prop_assert!(verify_consistency((old, &old_root), (size, &root), &proof));
        if let Some(hash) = proof.first() {
            let mut bent = proof.clone();
            bent[0][flip] = !hash[flip];
            prop_assert!(!verify_consistency((old, &old_root), (size, &root), &bent));
        }
        // The log is rewritten before the old head, and all hashes are made anew.
        let at = usize::try_from(changed % old).unwrap();
        tree.0[at][flip] ^= 1;
        let (forged_root, forged) =
            (tree.root_of(size), consistency_proof(old, size, &tree).unwrap());
        prop_assert!(!verify_consistency((old, &old_root), (size, &forged_root), &forged));
        prop_assert!(!verify_consistency((size, &root), (old, &old_root), &proof));
    }

    #[test]
    fn tiles_hold_what_the_tree_holds(leaves in 0_u64..1_200, cut in 0_u64..1_200) {
        let cut = cut.min(leaves);
        let (mut tiler, mut made) = (Tiler::default(), Vec::new());
        let tree = Tree::of(leaves);
        for leaf in tree.0.iter().take(usize::try_from(cut).unwrap()) {
            tiler.push(*leaf, &mut made);
        }
        // Started again from what was kept.
        let complete = cut / 256;
        let waiting = |from: u64, to: u64| {
            tree.0[usize::try_from(from).unwrap()..usize::try_from(to).unwrap()].to_vec()
        };
        let above = made.iter().filter(|tile| tile.level == 0).map(|tile| tile.root).collect();
        let mut tiler = Tiler::resume([(complete, waiting(complete * 256, cut)), (0, above)]);
        for leaf in tree.0.iter().skip(usize::try_from(cut).unwrap()) {
            tiler.push(*leaf, &mut made);
        }
        prop_assert_eq!((tiler.size(), tiler.root()), (leaves, tree.root_of(leaves)));
        let level_0: BTreeMap<u64, &Tile> =
            made.iter().filter(|tile| tile.level == 0).map(|tile| (tile.number, tile)).collect();
        prop_assert_eq!(u64::try_from(level_0.len()).unwrap(), leaves / 256);
        for (number, tile) in level_0 {
            prop_assert_eq!(tile.root, tree.node(8, number).unwrap());
            prop_assert_eq!(&tile.hashes, &waiting(number * 256, (number + 1) * 256).concat());
        }
    }
}

#[test]
fn a_tile_of_tiles_is_made_when_its_last_one_is() {
    let (mut tiler, mut made) = (Tiler::default(), Vec::new());
    let mut frontier = Frontier::default();
    for n in 0_u32..65_536 {
        let leaf = leaf_hash(&n.to_be_bytes());
        tiler.push(leaf, &mut made);
        frontier.push(leaf);
    }
    let last = made.last().unwrap();
    assert_eq!((made.len(), last.level, last.number), (257, 1, 0));
    assert_eq!(last.root, frontier.root());
    assert_eq!((tiler.size(), tiler.root()), (65_536, frontier.root()));
}

/// The example of the Go checksum database's package for signed notes.
const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const ANSWER: &str = "\
If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqf\
qdngotpRZb6KE6RyyBwJnAM=
";

#[test]
fn a_published_note_verifies_with_its_published_key() {
    let key: LogKey = PETER.parse().unwrap();
    let note = Note::parse(ANSWER).unwrap();
    assert!(key.verifies("PeterNeumann", &note.signatures[0], &note.text));
    assert!(!key.verifies("PeterNeumann", &note.signatures[0], &note.text.replace("you", "You")));
    assert_eq!(key.vkey("PeterNeumann"), PETER);
    assert_eq!(note.to_string(), ANSWER);
    assert_eq!(SignedCheckpoint::parse(ANSWER), Err(NoteError::Text));
}

fn signer(seed: u8) -> Signer {
    Signer::of(&[seed; 32])
}

fn checkpoint(size: u64) -> SignedCheckpoint {
    let root = Tree::of(size).root_of(size);
    SignedCheckpoint::sign("bahi.example/log", size, &root, &signer(1)).unwrap()
}

#[test]
fn a_checkpoint_is_signed_cosigned_and_read_back() {
    let mut checkpoint = checkpoint(5);
    let witness = signer(2).witness("witness.example/w").unwrap();
    let line = signer(2).cosign(witness.name(), checkpoint.text(), 1_795_356_135);
    checkpoint.add(line);
    let text = checkpoint.to_string();
    assert_eq!(text.lines().count(), 6, "{text}");
    let read = SignedCheckpoint::parse(&text).unwrap();
    assert_eq!(read, checkpoint);
    assert_eq!((read.origin(), read.size()), ("bahi.example/log", 5));
    assert!(read.is_signed_by(signer(1).public()));
    assert!(!read.is_signed_by(signer(2).public()), "a witness is not the log");
    let key: WitnessKey = witness.to_string().parse().unwrap();
    assert_eq!(read.cosigned_at(&key), Some(1_795_356_135));
    assert_eq!(read.cosigned_at(&signer(1).witness("witness.example/w").unwrap()), None);
    let other = text.replace("\n5\n", "\n6\n");
    let other = SignedCheckpoint::parse(&other).unwrap();
    assert!(!other.is_signed_by(signer(1).public()) && other.cosigned_at(&key).is_none());
}

#[test]
fn what_could_be_read_in_two_ways_is_no_checkpoint() {
    let good = checkpoint(5).to_string();
    assert!(SignedCheckpoint::parse(&good).is_ok());
    let bad = [
        good.trim_end().to_owned(),
        good.replace('\n', "\r\n"),
        good.replace("\n5\n", "\n05\n"),
        good.replace("\n5\n", "\n+5\n"),
        good.replace("\n5\n", "\n-5\n"),
        good.replace("\n5\n", "\n18446744073709551615\n"),
        good.replace("\n5\n", "\n\n"),
        good.replace("\n— ", "\n- "),
        good.replace("— bahi.example/log", "— bahi example/log"),
        good.replace("— bahi.example/log", "— "),
        good.replace("bahi.example/log\n", "bahi example\n"),
        good.replace("=\n\n", "\n\n"),
        format!("{good}\n"),
        format!("{good}more\n"),
        format!("\u{0}{good}"),
        good.repeat(2).repeat(300),
        String::new(),
    ];
    for text in bad {
        assert!(SignedCheckpoint::parse(&text).is_err(), "{text:?}");
    }
}

#[test]
fn a_key_has_two_texts_and_no_other() {
    let key = signer(1).public();
    assert_eq!(key.hex().parse(), Ok(key));
    assert_eq!(key.vkey("a").parse(), Ok(key));
    let witness = signer(1).witness("a").unwrap().to_string();
    assert_eq!(witness.parse::<LogKey>(), Err(KeyError::Kind));
    assert_eq!(key.vkey("a").parse::<WitnessKey>(), Err(KeyError::Kind));
    let renamed = witness.replacen('a', "b", 1);
    assert_eq!(renamed.parse::<WitnessKey>(), Err(KeyError::Id));
    assert_eq!("00".repeat(32).parse::<LogKey>(), Err(KeyError::NoKey), "anybody signs for it");
    for text in ["", "abc", "a+b+c", "a+00000000+"] {
        assert!(text.parse::<LogKey>().is_err(), "{text}");
    }
    for name in ["", "a b", "a+b", "a\nb"] {
        assert!(signer(1).witness(name).is_err(), "{name:?}");
    }
}

#[test]
fn a_key_gives_way_to_the_next_one_by_its_own_signature() {
    let (old, new, other) = (signer(1), signer(2), signer(3));
    let signature = old.sign_bytes(&rotation_message(old.public(), new.public()));
    assert!(verify_rotation(old.public(), new.public(), &signature));
    assert!(!verify_rotation(new.public(), old.public(), &signature));
    assert!(!verify_rotation(old.public(), other.public(), &signature));
    assert!(!verify_rotation(old.public(), new.public(), &signature[1..]));
}
