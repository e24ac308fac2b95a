package expr

import (
	"context"
	"errors"
	"fmt"
)

// budget is what one evaluation may still spend. Everything whose cost depends on values asks it first.
type budget struct {
	ctx   context.Context
	ticks int
	work  int
}

// limitError is the error of an expression that asks for too much.
type limitError struct{ message string }

func (e *limitError) Error() string { return e.message }

func limit(format string, args ...any) error { return &limitError{fmt.Sprintf(format, args...)} }

// charge pays for n bytes that are about to be read or written.
func (b *budget) charge(n int) error {
	b.work += n + 16 // no operation is free
	if n < 0 || b.work > maxWork {
		return limit("it handles more than %d MiB of data on the way", maxWork>>20)
	}
	if err := b.ctx.Err(); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return limit("it takes longer than %s", MaxTime)
		}
		return err
	}
	return nil
}

// tick counts one round of a predicate.
func (b *budget) tick() error {
	if b.ticks++; b.ticks > maxTicks {
		return limit("it visits more than %d elements", maxTicks)
	}
	return b.charge(0)
}
