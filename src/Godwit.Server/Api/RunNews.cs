using Godwit.Server.Live;

namespace Godwit.Server.Api;

/// <summary>What was seen of runs at a moment: events that listeners get when they have not got the same before.</summary>
/// <param name="Events">An event for each run, by its id. One that holds no data is read when it is new to somebody.</param>
/// <param name="IsOver">Whether nothing will change any more.</param>
internal sealed record RunNews(IReadOnlyDictionary<string, StreamEvent> Events, bool IsOver = false)
{
    /// <summary>Why nothing could be seen; null when something was.</summary>
    public StreamEvent? Trouble { get; init; }
}
