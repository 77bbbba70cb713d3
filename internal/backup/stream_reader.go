package backup

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"runtime"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/errgroup"
)

// frame is one zstd frame on its way to the reader of the stream.
type frame struct {
	raw  []byte
	err  error
	done chan struct{}
}

// streamReader reads the stream of a backup: parts in their order, each checked
// against its digest before anything of it is believed.
type streamReader struct {
	store   Store
	m       *Manifest
	key     *Key
	decoder *zstd.Decoder
	group   *errgroup.Group
	ctx     context.Context //nolint:containedctx // it ends with the reader, whose Read has none
	cancel  context.CancelFunc
	order   chan *frame
	free    chan []byte
	now     []byte
	held    []byte
	// OnPart is told of each part that was read; it may be nil.
	onPart func(Part)
}

// newStreamReader returns the stream of a backup. Close has to be called.
func newStreamReader(ctx context.Context, s Store, m *Manifest, key *Key, onPart func(Part)) (*streamReader, error) {
	if err := key.Opens(m); err != nil {
		return nil, err
	}
	cores := runtime.GOMAXPROCS(0)
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(cores), zstd.WithDecoderMaxMemory(chunkSize))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	group, ctx := errgroup.WithContext(ctx)
	r := &streamReader{
		store: s, m: m, key: key, decoder: decoder, group: group, ctx: ctx, cancel: cancel, onPart: onPart,
		order: make(chan *frame, cores), free: make(chan []byte, cores+2),
	}
	group.Go(func() error {
		defer close(r.order)
		return r.readParts()
	})
	return r, nil
}

// readParts reads one part while the frames of the one before are unpacked.
func (r *streamReader) readParts() error {
	var stored, plain []byte
	for _, p := range r.m.Parts {
		var err error
		if stored, err = readPart(r.ctx, r.store, r.m.ID, p, stored); err != nil {
			return err
		}
		data := stored
		if r.m.Encrypted() {
			if plain, err = r.key.decrypt(stored, plain); err != nil {
				if isNoMatch(err) {
					return wrongKey(r.m)
				}
				return damaged(r.m.ID, "part %q does not decrypt: %w", p.Name, err)
			}
			data = plain
		}
		// The frames of a part have to be unpacked before its memory is used
		// for the next one.
		if err := r.unpack(p, data); err != nil {
			return err
		}
		if r.onPart != nil {
			r.onPart(p)
		}
	}
	return nil
}

// readPart reads a part into the memory of into and checks its digest.
func readPart(ctx context.Context, s Store, id string, p Part, into []byte) ([]byte, error) {
	name := id + "/" + p.Name
	o, err := s.Open(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return into, damaged(id, "part %q is missing", p.Name)
	}
	if err != nil {
		return into, err
	}
	defer func() { _ = o.Close() }() // it was only read
	if int64(cap(into)) < p.Size {
		if p.Size > 4*partSize {
			return into, damaged(id, "part %q has %d bytes, more than a part can have", p.Name, p.Size)
		}
		into = make([]byte, p.Size)
	}
	into = into[:p.Size]
	sum := sha256.New()
	n, err := io.ReadFull(o, into)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return into, damaged(id, "part %q ends after %d of %d bytes", p.Name, n, p.Size)
	}
	if err != nil {
		return into, storeFailure(s.Address(), "read", name, err)
	}
	if extra, _ := o.Read(make([]byte, 1)); extra > 0 {
		return into, damaged(id, "part %q is longer than %d bytes", p.Name, p.Size)
	}
	sum.Write(into)
	if hex.EncodeToString(sum.Sum(nil)) != p.SHA256 {
		return into, damaged(id, "part %q does not hold the bytes that were written", p.Name)
	}
	return into, nil
}

// unpack hands the frames of a part to decompressors and waits for them.
func (r *streamReader) unpack(p Part, data []byte) error {
	var last []*frame
	var raw int64
	for len(data) > 0 {
		length, content, err := frameSize(data)
		if err != nil {
			return damaged(r.m.ID, "part %q is not made of frames: %w", p.Name, err)
		}
		f := &frame{done: make(chan struct{})}
		select {
		case f.raw = <-r.free:
		default:
			f.raw = make([]byte, 0, chunkSize)
		}
		select {
		case r.order <- f:
		case <-r.ctx.Done():
			return context.Cause(r.ctx)
		}
		packed := data[:length]
		go func() {
			defer close(f.done)
			if f.raw, f.err = r.decoder.DecodeAll(packed, f.raw[:0]); f.err != nil {
				f.err = damaged(r.m.ID, "part %q does not decompress: %w", p.Name, f.err)
			}
		}()
		data, raw, last = data[length:], raw+content, append(last, f)
		if len(last) > cap(r.order) {
			<-last[0].done
			last = last[1:]
		}
	}
	for _, f := range last {
		<-f.done
	}
	if raw != p.Raw {
		return damaged(r.m.ID, "part %q unpacks to %d bytes instead of %d", p.Name, raw, p.Raw)
	}
	return nil
}

// frameSize returns the length of the zstd frame at the beginning of data, and
// of its content, from the headers of its blocks: RFC 8878, section 3.1.1.
func frameSize(data []byte) (length int, content int64, err error) {
	var h zstd.Header
	if err := h.Decode(data); err != nil {
		return 0, 0, err
	}
	if h.Skippable || !h.HasFCS || h.FrameContentSize > chunkSize {
		return 0, 0, errors.New("a frame is not one that Refit writes")
	}
	at := h.HeaderSize
	for last := false; !last; {
		if at+3 > len(data) {
			return 0, 0, io.ErrUnexpectedEOF
		}
		header := binary.LittleEndian.Uint32(append([]byte{}, data[at], data[at+1], data[at+2], 0))
		last = header&1 == 1
		size := int(header >> 3)
		if kind := header >> 1 & 3; kind == 1 { // one byte that is repeated
			size = 1
		} else if kind == 3 {
			return 0, 0, errors.New("a block is of a kind that there is not")
		}
		at += 3 + size
	}
	if h.HasCheckSum {
		at += 4
	}
	if at > len(data) {
		return 0, 0, io.ErrUnexpectedEOF
	}
	return at, int64(h.FrameContentSize), nil
}

// Read implements io.Reader.
func (r *streamReader) Read(p []byte) (int, error) {
	for len(r.now) == 0 {
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.now)
	r.now = r.now[n:]
	return n, nil
}

// next waits for the next frame.
func (r *streamReader) next() error {
	if r.held != nil {
		select {
		case r.free <- r.held:
		default:
		}
		r.held = nil
	}
	f, ok := <-r.order
	if !ok {
		if err := r.group.Wait(); err != nil {
			return err
		}
		return io.EOF
	}
	<-f.done
	r.now, r.held = f.raw, f.raw
	return f.err
}

// WriteTo implements io.WriterTo, which spares a copy.
func (r *streamReader) WriteTo(w io.Writer) (int64, error) {
	var total int64
	for {
		if len(r.now) > 0 {
			n, err := w.Write(r.now)
			total += int64(n)
			r.now = r.now[n:]
			if err != nil {
				return total, err
			}
		}
		if err := r.next(); errors.Is(err, io.EOF) {
			return total, nil
		} else if err != nil {
			return total, err
		}
	}
}

// Close ends everything that reads ahead.
func (r *streamReader) Close() error {
	r.cancel()
	for f := range r.order {
		<-f.done
	}
	_ = r.group.Wait() // whoever read has got the error, or did not read so far
	r.decoder.Close()
	return nil
}

// onlyReader hides what else a reader can do.
type onlyReader struct{ io.Reader }
