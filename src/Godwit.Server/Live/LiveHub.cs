using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Godwit.Server.Live;

/// <summary>
/// Looks at something for as long as anybody does, and gives what it sees to all of them: fifty open pages of a run cost one reading and one
/// rendering. Who is slow misses frames and never holds up others.
/// </summary>
/// <typeparam name="T">What is seen.</typeparam>
internal sealed class LiveHub<T>(TimeProvider clock)
    where T : class
{
    private readonly ConcurrentDictionary<string, Watch> _watches = new(StringComparer.Ordinal);

    /// <summary>What is seen from now on, whether it has changed or not; the first of it at once when somebody looks already.</summary>
    /// <param name="key">What is looked at; the same for everybody who is to share it.</param>
    /// <param name="look">Looks once.</param>
    /// <param name="period">The time between two looks.</param>
    /// <param name="ct">Ends it.</param>
    public async IAsyncEnumerable<T> FollowAsync(string key, Func<Task<T>> look, TimeSpan period, [EnumeratorCancellation] CancellationToken ct)
    {
        var channel = Channel.CreateBounded<T>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
        var watch = Join(key, look, period, channel.Writer);
        try
        {
            await foreach (var frame in channel.Reader.ReadAllAsync(ct))
            {
                yield return frame;
            }
        }
        finally
        {
            watch.Leave(channel.Writer);
        }
    }

    private Watch Join(string key, Func<Task<T>> look, TimeSpan period, ChannelWriter<T> writer)
    {
        while (true)
        {
            var watch = _watches.GetOrAdd(key, _ => new Watch(clock, look, period, w => _watches.TryRemove(new(key, w))));
            if (watch.TryJoin(writer))
            {
                return watch;
            }
        }
    }

    private sealed class Watch(TimeProvider clock, Func<Task<T>> look, TimeSpan period, Action<Watch> ended)
    {
        private readonly Lock _gate = new();
        private readonly List<ChannelWriter<T>> _writers = [];
        private T? _last;
        private volatile bool _isOver;

        public bool TryJoin(ChannelWriter<T> writer)
        {
            lock (_gate)
            {
                if (_isOver)
                {
                    return false;
                }

                _writers.Add(writer);
                if (_last is not null)
                {
                    writer.TryWrite(_last);
                }

                if (_writers.Count == 1 && _last is null)
                {
                    _ = Task.Run(LookAsync);
                }

                return true;
            }
        }

        public void Leave(ChannelWriter<T> writer)
        {
            lock (_gate)
            {
                _writers.Remove(writer);
                if (_writers.Count > 0)
                {
                    return;
                }

                _isOver = true;
            }

            ended(this);
        }

        [SuppressMessage("Design", "CA1031", Justification = "Nobody waits for this task: everybody who follows is thrown what it was.")]
        private async Task LookAsync()
        {
            try
            {
                while (!_isOver)
                {
                    Tell(await look());
                    await Task.Delay(period, clock);
                }
            }
            catch (Exception e)
            {
                Fail(e);
            }
        }

        private void Tell(T frame)
        {
            lock (_gate)
            {
                _last = frame;
                _writers.ForEach(w => w.TryWrite(frame));
            }
        }

        private void Fail(Exception e)
        {
            lock (_gate)
            {
                _isOver = true;
                _writers.ForEach(w => w.TryComplete(e));
            }

            ended(this);
        }
    }
}
