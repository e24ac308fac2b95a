package api

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/webhook"
)

// More than there is room for is turned away, by its size as well as by its number, and what has left makes room.
func TestIntake(t *testing.T) {
	var i intake
	one, other := uuid.New(), uuid.New()
	var leave []func()
	for n := range intakeBytes / webhook.MaxBody {
		l, err := i.enter([]uuid.UUID{one, other}[n%2], -1) // of an unknown size, which may be the largest
		if err != nil {
			t.Fatal(err)
		}
		leave = append(leave, l)
	}
	if _, err := i.enter(uuid.New(), 1); !fault.Is(err, fault.Unavailable) {
		t.Errorf("one byte too many: %v", err)
	}
	leave[0]()
	leave[0]()
	if _, err := i.enter(one, webhook.MaxBody); err != nil {
		t.Errorf("in the place of one that left: %v", err)
	}
	if _, err := i.enter(one, 1); err == nil {
		t.Error("one that left twice made room for two")
	}
	var many intake
	for n := range intakeRequests {
		if _, err := many.enter([]uuid.UUID{one, other}[n%2], 0); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := many.enter(uuid.New(), 0); !fault.Is(err, fault.Unavailable) {
		t.Errorf("one request too many: %v", err)
	}
}

// Whoever keeps one address busy leaves room for the others.
func TestIntakeIsShared(t *testing.T) {
	var i intake
	one := uuid.New()
	var leave []func()
	for range intakeBytes / webhook.MaxBody / 2 {
		l, err := i.enter(one, -1)
		if err != nil {
			t.Fatal(err)
		}
		leave = append(leave, l)
	}
	if _, err := i.enter(one, 1); !fault.Is(err, fault.Unavailable) {
		t.Errorf("more than its share: %v", err)
	}
	if _, err := i.enter(uuid.New(), -1); err != nil {
		t.Errorf("another trigger: %v", err)
	}
	for _, l := range leave {
		l()
	}
	if len(i.each) != 1 {
		t.Errorf("%d triggers are remembered", len(i.each))
	}
}

func TestRefusalsOfAMinute(t *testing.T) {
	r := refusals{seen: map[uuid.UUID]int{}}
	now, one, other := time.Unix(1_700_000_000, 0), uuid.New(), uuid.New()
	listed := 0
	for range 100 {
		if r.allow(one, now) {
			listed++
		}
	}
	if listed != refusalsAMinute || !r.allow(other, now) || !r.allow(one, now.Add(time.Minute)) {
		t.Errorf("%d are listed in a minute", listed)
	}
}
