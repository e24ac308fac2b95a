package audit

import (
	"encoding/json"
	"fmt"
	"time"
)

// Problem is what is wrong with a chain.
type Problem string

// What can be wrong.
const (
	Altered   Problem = "altered"   // an entry does not say any more what it said when it was written
	Missing   Problem = "missing"   // an entry was taken out
	Inserted  Problem = "inserted"  // an entry was put in that no change wrote
	Reordered Problem = "reordered" // an entry stands in another place
	CutOff    Problem = "cut_off"   // the end is missing
	Unsealed  Problem = "unsealed"  // entries at the end lack the seal that their writer would have put on them
)

// Broken is the first place where a chain does not hold.
type Broken struct {
	Number  int64   `json:"number"`
	Problem Problem `json:"problem"`
	Message string  `json:"message"`
}

// Report is what verifying a chain found.
type Report struct {
	OK      bool    `json:"ok"`
	Entries int64   `json:"entries"` // that were looked at
	First   *Place  `json:"first,omitempty"`
	Last    *Place  `json:"last,omitempty"`
	Sealed  int64   `json:"sealed_through"` // up to which number a seal vouches for all; 0: none does, or there was no key
	Keyed   bool    `json:"seals_checked"`  // whether there was a key to check seals with
	Unknown int64   `json:"unknown_seals"`  // seals of keys that are not known any more; a later seal vouches for those entries
	Cut     int64   `json:"cut_through"`    // up to which number entries were removed because of their age
	Broken  *Broken `json:"broken,omitempty"`
}

// Place is an entry in a report.
type Place struct {
	Number int64     `json:"number"`
	At     time.Time `json:"at"`
	Hash   Hash      `json:"hash"`
}

// Keys check seals; secret.Keyring does.
type Keys interface {
	Knows(id string) bool
	Verify(purpose string, what, proof []byte) bool
}

// SealPurpose is what seals are signed for.
const SealPurpose = "audit"

// Verifier goes through a chain, entry by entry.
type Verifier struct {
	keys   Keys // nil: seals are not looked at
	report Report
	first  Entry
	last   Entry
	cut    *anchor // of the last removal of old entries
	known  *Head
	after  int64 // the first entry behind the last good seal that a writer with the key made; 0: none
}

// NewVerifier makes one. Without keys it can tell that a chain is whole, not that nobody wrote another whole one.
func NewVerifier(keys Keys) *Verifier {
	return &Verifier{keys: keys, report: Report{Keyed: keys != nil}}
}

// Knowing lets the verifier ask besides for an entry that an earlier verification named: it has to be there as it was, unless
// it was removed because of its age. It answers v; known may be nil.
func (v *Verifier) Knowing(known *Head) *Verifier {
	v.known = known
	return v
}

// anchor is what the removal of old entries left of the last one.
type anchor struct {
	Through int64 `json:"through"`
	Hash    Hash  `json:"hash"`
}

// Cut is what an entry says that old entries were removed: which was the last, and its hash, so that the rest still hangs on
// something.
func Cut(through int64, hash Hash, removed int64) Data {
	return Data{"through": through, "hash": hash, "removed": removed}
}

// Add looks at the next entry. It answers false at the first that is wrong; what comes after it proves nothing.
func (v *Verifier) Add(e Entry) bool {
	if v.report.Broken != nil {
		return false
	}
	if v.report.Entries == 0 {
		v.first, v.report.First = e, placeOf(e)
	} else if !v.follows(e) {
		return false
	}
	if v.known != nil && e.Number == v.known.Number && e.Hash != v.known.Hash {
		return v.broken(e.Number, Altered, "entry %d has another hash than the one that was noted of it", e.Number)
	}
	if e.Sum() != e.Hash {
		return v.broken(e.Number, Altered, "entry %d does not say what it said when it was written", e.Number)
	}
	if !v.sealed(e) {
		return v.broken(e.Number, Altered, "the seal of entry %d is not one of this installation: it was written anew", e.Number)
	}
	if e.Action == AuditCut && e.Actor.Kind == System {
		var a anchor
		if err := json.Unmarshal(e.After, &a); err == nil {
			v.cut = &a
		}
	}
	v.last = e
	v.report.Entries++
	v.report.Last = placeOf(e)
	return true
}

// Checked is how many entries were looked at.
func (v *Verifier) Checked() int64 { return v.report.Entries }

func (v *Verifier) follows(e Entry) bool {
	want := v.last.Number + 1
	switch {
	case e.Number == v.last.Number:
		return v.broken(e.Number, Inserted, "there are two entries %d", e.Number)
	case e.Number < v.last.Number:
		return v.broken(e.Number, Reordered, "entry %d stands behind entry %d", e.Number, v.last.Number)
	case e.Number > want:
		return v.broken(want, Missing, "%s missing before entry %d", span(want, e.Number-1), e.Number)
	case e.Previous != v.last.Hash:
		return v.broken(v.last.Number, Altered, "entry %d is not the one that entry %d was written after", v.last.Number, e.Number)
	case e.At.Before(v.last.At):
		return v.broken(e.Number, Reordered, "entry %d is older than the one before it", e.Number)
	}
	return true
}

func span(from, to int64) string {
	if from == to {
		return fmt.Sprintf("entry %d is", from)
	}
	return fmt.Sprintf("entries %d to %d are", from, to)
}

// sealed tells whether the entry's seal, if it has one and its key is known, is good.
func (v *Verifier) sealed(e Entry) bool {
	switch {
	case v.keys == nil:
	case len(e.Seal) > 0 && v.keys.Knows(e.SealedBy):
		if !v.keys.Verify(SealPurpose, e.Hash[:], e.Seal) {
			return false
		}
		v.report.Sealed, v.after = e.Number, 0
	default:
		if len(e.Seal) > 0 {
			v.report.Unknown++
		}
		if v.after == 0 && e.Actor.Kind != CommandLine && e.Actor.Kind != System {
			v.after = e.Number
		}
	}
	return true
}

// End answers what was found. head is where the chain has to end; nil when that is not known.
func (v *Verifier) End(head *Head) Report {
	v.end(head)
	if v.cut != nil {
		v.report.Cut = v.cut.Through
	}
	v.report.OK = v.report.Broken == nil
	return v.report
}

func (v *Verifier) end(head *Head) {
	if v.report.Broken != nil {
		return
	}
	if v.report.Entries > 0 && !v.begins() {
		return
	}
	if v.known != nil && v.last.Number < v.known.Number {
		v.broken(v.last.Number+1, CutOff, "%s missing at the end: entry %[2]d was there once", span(v.last.Number+1, v.known.Number), v.known.Number)
		return
	}
	if head != nil {
		v.meets(*head)
	}
	if v.report.Broken == nil && v.after != 0 {
		v.broken(v.after, Unsealed, "from entry %d on there is no seal of this installation, though it seals what it writes: somebody may have written them anew, or ORQ_SECRET_KEY is another than then", v.after)
	}
}

// begins holds the first entry against what was removed before it.
func (v *Verifier) begins() bool {
	var cut anchor
	if v.cut != nil {
		cut = *v.cut
	}
	switch first := v.first.Number; {
	case cut.Through < first-1:
		return v.broken(cut.Through+1, Missing, "%s missing, and no entry says that they were removed because of their age", span(cut.Through+1, first-1))
	case cut.Through >= first:
		return v.broken(first, Inserted, "%s there although they were removed because of their age", span(first, cut.Through))
	case v.first.Previous != cut.Hash:
		return v.broken(first, Altered, "entry %d does not follow what was before it", first)
	}
	return true
}

// meets holds the last entry against where the chain has to end.
func (v *Verifier) meets(head Head) {
	switch {
	case v.last.Number < head.Number:
		v.broken(v.last.Number+1, CutOff, "%s missing at the end", span(v.last.Number+1, head.Number))
	case v.last.Number > head.Number:
		v.broken(head.Number+1, Inserted, "%s behind the end of the chain", span(head.Number+1, v.last.Number))
	case v.last.Number > 0 && v.last.Hash != head.Hash:
		v.broken(head.Number, Altered, "entry %d is not the one that the chain ended with", head.Number)
	}
}

func (v *Verifier) broken(number int64, p Problem, message string, args ...any) bool {
	v.report.Broken = &Broken{Number: number, Problem: p, Message: fmt.Sprintf(message, args...)}
	return false
}

// Verified is the entry of a verification.
func Verified(r Report) Change {
	after := Data{"ok": r.OK, "entries": r.Entries, "sealed_through": r.Sealed, "seals_checked": r.Keyed}
	if r.Last != nil {
		after["last"] = r.Last.Number
	}
	if r.Broken != nil {
		after["broken"] = r.Broken.Number
		after["problem"] = r.Broken.Problem
	}
	return Change{Action: AuditVerify, After: after}
}

// Exported is the entry of an export of those entries that filters let through.
func Exported(f Format, filters Data) Change {
	return Change{Action: AuditExport, After: Data{"format": f, "filters": filters}}
}

func placeOf(e Entry) *Place { return &Place{Number: e.Number, At: e.At, Hash: e.Hash} }
