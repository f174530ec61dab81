using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Godwit.Server.Live;

/// <summary>What a page shows at a moment: the HTML of its regions by name, and what its script draws.</summary>
/// <param name="Regions">The regions.</param>
/// <param name="Data">What the script draws, by name.</param>
internal sealed record LiveFrame(IReadOnlyDictionary<string, string> Regions, IReadOnlyDictionary<string, string> Data)
{
    /// <summary>Only what is different in this one.</summary>
    public LiveFrame Since(LiveFrame? before) => before is null ? this : new(Changed(before.Regions, Regions), Changed(before.Data, Data));

    /// <summary>Whether it says nothing.</summary>
    public bool IsEmpty => Regions.Count == 0 && Data.Count == 0;

    private static Dictionary<string, string> Changed(IReadOnlyDictionary<string, string> before, IReadOnlyDictionary<string, string> now) =>
        now.Where(r => before.GetValueOrDefault(r.Key) != r.Value).ToDictionary(r => r.Key, r => r.Value, StringComparer.Ordinal);
}

/// <summary>
/// Looks at something for as long as anybody does, and gives what it sees to all of them: fifty open pages of a run cost one reading and one
/// rendering. Who is slow misses frames and never holds up others.
/// </summary>
internal sealed class LiveHub(TimeProvider clock)
{
    private readonly ConcurrentDictionary<string, Watch> _watches = new(StringComparer.Ordinal);

    /// <summary>What is seen from now on, each time it is another; the first frame is whole, the others hold what changed.</summary>
    /// <param name="key">What is looked at; the same for everybody who is to share it.</param>
    /// <param name="look">Looks once.</param>
    /// <param name="period">The time between two looks.</param>
    /// <param name="ct">Ends it.</param>
    public async IAsyncEnumerable<LiveFrame> FollowAsync(string key, Func<Task<LiveFrame>> look, TimeSpan period, [EnumeratorCancellation] CancellationToken ct)
    {
        var channel = Channel.CreateBounded<LiveFrame>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
        var watch = Join(key, look, period, channel.Writer);
        try
        {
            LiveFrame? sent = null;
            await foreach (var frame in channel.Reader.ReadAllAsync(ct))
            {
                var news = frame.Since(sent);
                sent = frame;
                if (!news.IsEmpty)
                {
                    yield return news;
                }
            }
        }
        finally
        {
            watch.Leave(channel.Writer);
        }
    }

    private Watch Join(string key, Func<Task<LiveFrame>> look, TimeSpan period, ChannelWriter<LiveFrame> writer)
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

    private sealed class Watch(TimeProvider clock, Func<Task<LiveFrame>> look, TimeSpan period, Action<Watch> ended)
    {
        private readonly Lock _gate = new();
        private readonly List<ChannelWriter<LiveFrame>> _writers = [];
        private LiveFrame? _last;
        private volatile bool _isOver;

        public bool TryJoin(ChannelWriter<LiveFrame> writer)
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

        public void Leave(ChannelWriter<LiveFrame> writer)
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

        private void Tell(LiveFrame frame)
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
