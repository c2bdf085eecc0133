//! The check of the tree: its roots, made again from the events, against signed checkpoints.
//!
//! Beside the chain, in the same pass. A signed checkpoint that the log contradicts shows that the
//! log was rewritten at or before its size, whoever made the hashes fit. The key may change on the
//! way: by an event that the key before has signed, and from its position on.

use super::{
    finding::{Code, Finding, Findings, Place},
    payload::{self, CheckpointKeyRotated},
    proof::{Hash, LeafEvent, LogKey, SignedCheckpoint, Tile, Tiler, WitnessKey, verify_rotation},
    record::{Event, Item},
    report::NoteFigures,
};

/// A signed checkpoint that the log must contain.
#[derive(Debug, Clone)]
struct Mark {
    note: SignedCheckpoint,
    /// Whether somebody brought it, or the database has it.
    stored: bool,
}

/// The tree over what was read, and what it is held against.
#[derive(Debug)]
pub(super) struct TreeCheck {
    tiler: Tiler,
    complete: Vec<Tile>,
    /// The root of each complete tile of leaves.
    pub blocks: Vec<Hash>,
    size: u64,
    /// Those that are still to come, the largest first.
    marks: Vec<Mark>,
    /// The keys that may sign what comes next; nothing if whoever asks knows none.
    keys: Vec<LogKey>,
    /// The key in force, as far as a checkpoint or a rotation said so.
    in_force: Option<LogKey>,
    witnesses: Vec<WitnessKey>,
    figures: Vec<NoteFigures>,
    /// A stored checkpoint differed, and those after it do too.
    stored_differs: bool,
}

impl TreeCheck {
    pub(super) fn new(
        notes: &[SignedCheckpoint],
        keys: &[LogKey],
        witnesses: &[WitnessKey],
    ) -> Self {
        let marks = notes.iter().map(|note| Mark { note: note.clone(), stored: false });
        let mut check = Self {
            tiler: Tiler::default(),
            complete: Vec::new(),
            blocks: Vec::new(),
            size: 0,
            marks: marks.collect(),
            keys: keys.to_vec(),
            in_force: None,
            witnesses: witnesses.to_vec(),
            figures: Vec::new(),
            stored_differs: false,
        };
        check.sort();
        check
    }

    /// The database has these.
    pub(super) fn expect_stored(&mut self, notes: Vec<SignedCheckpoint>) {
        self.marks.extend(notes.into_iter().map(|note| Mark { note, stored: true }));
        self.sort();
    }

    fn sort(&mut self) {
        self.marks.sort_by_key(|mark| std::cmp::Reverse((mark.note.size(), mark.stored)));
    }

    pub(super) fn item(&mut self, item: &Item<'_>, findings: &mut Findings) {
        if let Item::Event(event) = item {
            self.event(event, findings);
        }
    }

    fn event(&mut self, event: &Event<'_>, findings: &mut Findings) {
        self.meet(findings);
        if event.event_type == "checkpoint_key_rotated" && event.aggregate_type == "book" {
            self.rotation(event, findings);
        }
        self.tiler.push(LeafEvent::from(event).leaf_hash(), &mut self.complete);
        self.size = self.size.saturating_add(1);
        let leaves = self.complete.drain(..).filter(|tile| tile.level == 0);
        self.blocks.extend(leaves.map(|tile| tile.root));
        self.meet(findings);
    }

    /// Compares with the checkpoints of exactly this size.
    fn meet(&mut self, findings: &mut Findings) {
        if self.marks.last().is_none_or(|mark| mark.note.size() > self.size) {
            return;
        }
        let root = self.tiler.root();
        while let Some(mark) = self.marks.pop_if(|mark| mark.note.size() <= self.size) {
            self.compare(&mark, Some(&root), findings);
        }
    }

    fn compare(&mut self, mark: &Mark, root: Option<&Hash>, findings: &mut Findings) {
        let note = &mark.note;
        let position = i64::try_from(note.size()).unwrap_or(i64::MAX);
        let contained = root == Some(note.root());
        if mark.stored {
            return self.compare_stored(note, root.is_some(), contained, findings);
        }
        let signer = self.keys.iter().copied().find(|key| note.is_signed_by(*key));
        if let Some(signer) = signer {
            self.in_force.get_or_insert(signer);
        } else {
            let words = format!(
                "no key that is trusted there has signed the checkpoint of {} events",
                note.size()
            );
            findings.position(position, Code::CheckpointUnsigned, words);
        }
        let silent = self.witnesses.iter().filter(|w| note.cosigned_at(w).is_none());
        for witness in silent {
            let words = format!(
                "{} has not cosigned the checkpoint of {} events",
                witness.name(),
                note.size()
            );
            findings.position(position, Code::CosignatureMissing, words);
        }
        if !contained {
            let (code, at, words) = self.not_contained(note, root.is_some());
            findings.position(at, code, words);
        }
        self.figures.push(NoteFigures {
            origin: note.origin().to_owned(),
            size: note.size(),
            contained,
            signed_by: signer.map(LogKey::hex),
            cosigned_by: self
                .witnesses
                .iter()
                .filter(|w| note.cosigned_at(w).is_some())
                .map(|w| w.name().to_owned())
                .collect(),
        });
    }

    fn not_contained(&self, note: &SignedCheckpoint, met: bool) -> (Code, i64, String) {
        let last = self.figures.iter().rev().find(|note| note.contained);
        let good = last.map_or(0, |note| note.size);
        let at = |position: u64| i64::try_from(position).unwrap_or(i64::MAX);
        if met {
            let words = format!(
                "the first {} events have another root than was signed: the log was rewritten \
                 between positions {} and {}",
                note.size(),
                good.saturating_add(1),
                note.size()
            );
            return (Code::CheckpointDiffers, at(note.size()), words);
        }
        let words = format!(
            "the log has {} events, and a checkpoint of {} was signed: the tail is cut off",
            self.size,
            note.size()
        );
        (Code::CheckpointAhead, at(self.size.saturating_add(1)), words)
    }

    fn compare_stored(
        &mut self,
        note: &SignedCheckpoint,
        met: bool,
        contained: bool,
        findings: &mut Findings,
    ) {
        if contained || self.stored_differs {
            return;
        }
        self.stored_differs = true;
        let words = if met {
            "the stored checkpoint has another root than the log"
        } else {
            "the stored checkpoint is of a longer log"
        };
        let position = i64::try_from(note.size()).unwrap_or(i64::MAX);
        findings.position(position, Code::CheckpointStoredDiffers, words);
    }

    fn rotation(&mut self, event: &Event<'_>, findings: &mut Findings) {
        let place = Place {
            position: event.position,
            aggregate_type: event.aggregate_type,
            aggregate_id: event.aggregate_id,
        };
        let Some((old, new)) = rotated(event.payload) else {
            let words = "the key that is to sign from here on is not signed by the one before";
            return findings.event(place, Code::KeyRotationDiffers, words);
        };
        if self.in_force.is_some_and(|in_force| in_force != old) {
            let words = format!("{} gave way, which was not in force here", old.hex());
            return findings.event(place, Code::KeyRotationDiffers, words);
        }
        if self.keys.contains(&old) {
            self.keys.retain(|key| *key != old);
            self.keys.push(new);
        }
        self.in_force = Some(new);
    }

    /// The log has no more. The root over all of it, and what became of the checkpoints.
    pub(super) fn finish(&mut self, findings: &mut Findings) -> (Hash, Vec<NoteFigures>) {
        self.meet(findings);
        while let Some(mark) = self.marks.pop() {
            self.compare(&mark, None, findings);
        }
        (self.tiler.root(), std::mem::take(&mut self.figures))
    }
}

/// The keys of a rotation whose signature is true.
fn rotated(bytes: &[u8]) -> Option<(LogKey, LogKey)> {
    let said: CheckpointKeyRotated<'_> = payload::read(bytes).ok()?;
    let (old, new) = (said.old_key.parse().ok()?, said.new_key.parse().ok()?);
    let signature = hex::decode(&*said.signature).ok()?;
    verify_rotation(old, new, &signature).then_some((old, new))
}

/// A finding about the stored tree: at the first leaf of what differs.
pub(super) fn differs(level: u32, number: u64, words: String) -> Finding {
    let leaves = 256_u64.saturating_pow(level.saturating_add(1));
    let first = number.saturating_mul(leaves).saturating_add(1);
    Finding {
        code: Code::TreeDiffers,
        position: i64::try_from(first).ok(),
        batch: None,
        stream: None,
        words,
    }
}
