package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/refitproject/refit/internal/action"
)

// The reasons of errors of this package. The pages of the actions explain them.
const (
	// ReasonStoreAddress: the address of a store cannot be understood.
	ReasonStoreAddress = "StoreAddress"
	// ReasonStoreGone: the store is not there, or does not answer.
	ReasonStoreGone = "StoreGone"
	// ReasonStoreFull: there is no room in the store.
	ReasonStoreFull = "StoreFull"
	// ReasonStoreReadOnly: the store may not be written to.
	ReasonStoreReadOnly = "StoreReadOnly"
	// ReasonStoreTrouble: the store failed in another way.
	ReasonStoreTrouble = "StoreTrouble"
	// ReasonBackupNotFound: there is no such backup.
	ReasonBackupNotFound = "BackupNotFound"
	// ReasonBackupIncomplete: a backup has no manifest: it is being written, or
	// its writer has ended before it was done.
	ReasonBackupIncomplete = "BackupIncomplete"
	// ReasonBackupDamaged: what the store holds is not what was written to it.
	ReasonBackupDamaged = "BackupDamaged"
	// ReasonBackupTooNew: a newer Refit has written the backup.
	ReasonBackupTooNew = "BackupTooNew"
	// ReasonServerNeeded: only a server can read what the backup holds.
	ReasonServerNeeded = "ServerNeeded"
	// ReasonWrongKey: the key does not open the backup, or none was given.
	ReasonWrongKey = "WrongKey"
	// ReasonSourceNotFound: what should be saved is not there.
	ReasonSourceNotFound = "SourceNotFound"
	// ReasonSourceNotReadable: what should be saved cannot be read.
	ReasonSourceNotReadable = "SourceNotReadable"
	// ReasonSourceChanged: what should be saved was changed while it was read.
	ReasonSourceChanged = "SourceChanged"
	// ReasonNotWritten: what is restored cannot be written.
	ReasonNotWritten = "NotWritten"
	// ReasonDiskFull: there is no room for what is restored.
	ReasonDiskFull = "DiskFull"
	// ReasonInterrupted: the work was cancelled or its time was over.
	ReasonInterrupted = "Interrupted"
)

// errExists is returned by a store when the name is taken.
var errExists = errors.New("there is an object of this name already")

// failure makes an *action.Error. It is retryable when the world may be better
// the next time.
func failure(reason, remedy string, retryable bool, format string, args ...any) *action.Error {
	return &action.Error{
		Reason: reason, Retryable: retryable, Effect: action.ExtentUnknown, Remedy: remedy,
		Err: fmt.Errorf(format, args...),
	}
}

// damaged says what is wrong with the bytes of a backup.
func damaged(id, format string, args ...any) *action.Error {
	return failure(ReasonBackupDamaged, "restore another backup, and find out what the store did", false,
		"backup %q: %w", id, fmt.Errorf(format, args...))
}

// Damaged returns the error of a backup of which somebody who can read it says in err
// what is wrong with it.
func Damaged(id string, err error) error { return damaged(id, "%w", err) }

// IsDamage tells whether err is about the bytes of a backup.
func IsDamage(err error) bool { return action.ReasonOf(err) == ReasonBackupDamaged }

// bare returns an error of a file without the path, which the message has
// already.
func bare(err error) error {
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		return failed.Err
	}
	if failed, ok := errors.AsType[*os.LinkError](err); ok {
		return failed.Err
	}
	return err
}

func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// interrupted returns the error of work that was ended from outside, nil when
// err is about something else.
func interrupted(what string, err error) error {
	if !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	if action.ReasonOf(err) == ReasonInterrupted {
		return err
	}
	return failure(ReasonInterrupted, "", true, "%s: %w", what, err)
}
