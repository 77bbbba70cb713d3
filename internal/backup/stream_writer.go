package backup

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/errgroup"
)

const (
	// chunkSize is how much of the stream is compressed at a time: the content
	// of one zstd frame.
	chunkSize = 2 << 20
	// partSize is from which size on a part is full.
	partSize = 8 << 20
	// uploads is how many parts are stored at a time.
	uploads = 4
)

// streamWriter cuts what is written to it into parts and stores them. What a
// run before has stored already is not stored again. The same content always
// makes the same parts.
//
// Write, chunk by chunk, hands to compressors, these to the collector in the
// order of the stream, and that to the uploads.
type streamWriter struct {
	store Store
	id    string
	key   *Key
	// had are the parts that an attempt before has stored, by index.
	had map[int][]Object

	group   *errgroup.Group
	ctx     context.Context //nolint:containedctx // it ends with the writer, whose Write has none
	encoder *zstd.Encoder
	chunk   []byte
	order   chan *chunk
	chunks  sync.Pool
	buffers chan []byte

	mu    sync.Mutex
	parts []Part
	size  int64
	saved int64
}

// chunk is a piece of the stream on its way through a compressor.
type chunk struct {
	raw, packed []byte
	done        chan struct{}
}

// newStreamWriter returns a writer for the backup id. Close has to be called.
func newStreamWriter(ctx context.Context, s Store, id string, level int, key *Key) (*streamWriter, error) {
	had, err := storedParts(ctx, s, id)
	if err != nil {
		return nil, err
	}
	cores := runtime.GOMAXPROCS(0)
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(level)),
		zstd.WithEncoderConcurrency(cores), zstd.WithWindowSize(chunkSize), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, err
	}
	group, ctx := errgroup.WithContext(ctx)
	w := &streamWriter{
		store: s, id: id, key: key, had: had, group: group, ctx: ctx, encoder: encoder,
		order: make(chan *chunk, cores), buffers: make(chan []byte, uploads+1),
	}
	w.chunks.New = func() any {
		// What cannot be compressed becomes a little longer.
		return &chunk{raw: make([]byte, 0, chunkSize), packed: make([]byte, 0, chunkSize+chunkSize/64)}
	}
	for range uploads + 1 {
		w.buffers <- nil
	}
	group.Go(w.collect)
	return w, nil
}

// storedParts returns the parts of a backup that are in the store, by index.
func storedParts(ctx context.Context, s Store, id string) (map[int][]Object, error) {
	list, err := s.List(ctx, id+"/part-")
	if err != nil {
		return nil, err
	}
	had := map[int][]Object{}
	for _, o := range list {
		if name, ok := parsePart(o.Name[len(id)+1:]); ok {
			had[name.index] = append(had[name.index], o)
		}
	}
	return had, nil
}

// Write implements io.Writer.
func (w *streamWriter) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		if w.chunk == nil {
			w.chunk = make([]byte, 0, chunkSize)
		}
		n := min(chunkSize-len(w.chunk), len(p))
		w.chunk = append(w.chunk, p[:n]...)
		p, written = p[n:], written+n
		if len(w.chunk) == chunkSize {
			if err := w.flush(); err != nil {
				return written, err
			}
		}
	}
	return written, nil
}

// flush hands the chunk to a compressor.
func (w *streamWriter) flush() error {
	c, _ := w.chunks.Get().(*chunk)
	c.raw, w.chunk = w.chunk, c.raw[:0]
	c.done = make(chan struct{})
	select {
	case w.order <- c:
	case <-w.ctx.Done():
		return context.Cause(w.ctx)
	}
	go func() {
		c.packed = w.encoder.EncodeAll(c.raw, c.packed[:0])
		close(c.done)
	}()
	return nil
}

// collect joins what is compressed to parts.
func (w *streamWriter) collect() error {
	var buffer []byte
	var raw int64
	index := 0
	for c := range w.order {
		<-c.done
		if buffer == nil {
			select {
			case buffer = <-w.buffers:
				buffer = slices.Grow(buffer[:0], partSize+chunkSize+chunkSize/64) // the last chunk may reach over
			case <-w.ctx.Done():
				return context.Cause(w.ctx)
			}
		}
		buffer = append(buffer, c.packed...)
		raw += int64(len(c.raw))
		c.raw = c.raw[:0]
		w.chunks.Put(c)
		if len(buffer) >= partSize {
			index++
			w.upload(index, buffer, raw)
			buffer, raw = nil, 0
		}
	}
	if len(buffer) > 0 {
		w.upload(index+1, buffer, raw)
	}
	return nil
}

// upload stores a part. At most as many are under way as there are buffers.
func (w *streamWriter) upload(index int, data []byte, raw int64) {
	w.group.Go(func() error {
		defer func() { w.buffers <- data }()
		p, reused, err := w.put(index, data)
		if err != nil {
			return err
		}
		p.Raw = raw
		w.mu.Lock()
		defer w.mu.Unlock()
		w.parts = append(w.parts, p)
		w.size += raw
		if reused {
			w.saved += p.Size
		}
		return nil
	})
}

// put stores a part, unless it is there.
func (w *streamWriter) put(index int, data []byte) (p Part, reused bool, err error) {
	name := partName{index: index, tag: w.key.tagOf(data)}
	if w.key == nil {
		name.sha256 = digestOf(data)
	}
	for _, o := range w.had[index] {
		found, _ := parsePart(o.Name[len(w.id)+1:])
		same := found == name
		if w.key != nil { // what was encrypted before looks different each time
			same = found.tag == name.tag
		} else {
			same = same && o.Size == int64(len(data))
		}
		if same {
			return Part{Name: found.String(), Size: o.Size, SHA256: found.sha256}, true, nil
		}
	}
	packed, err := w.key.encrypt(data, nil)
	if err != nil {
		return Part{}, false, err
	}
	if w.key != nil {
		name.sha256 = digestOf(packed)
	}
	if err := w.store.Put(w.ctx, w.id+"/"+name.String(), packed); err != nil {
		return Part{}, false, err
	}
	return Part{Name: name.String(), Size: int64(len(packed)), SHA256: name.sha256}, false, nil
}

// Close stores what is left, waits for all, and returns the parts in their
// order. cause, when not nil, is why the stream has ended early.
func (w *streamWriter) Close(cause error) ([]Part, error) {
	if cause == nil && len(w.chunk) > 0 {
		cause = w.flush()
	}
	close(w.order)
	err := w.group.Wait()
	err = errors.Join(err, w.encoder.Close())
	if err != nil {
		return nil, err
	}
	if cause != nil {
		return nil, cause
	}
	slices.SortFunc(w.parts, func(a, b Part) int { return compareNames(a.Name, b.Name) })
	return w.parts, nil
}

func compareNames(a, b string) int {
	x, _ := parsePart(a)
	y, _ := parsePart(b)
	return x.index - y.index
}
