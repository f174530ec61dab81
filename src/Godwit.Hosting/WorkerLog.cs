using Microsoft.Extensions.Logging;

namespace Godwit.Hosting;

/// <summary>All that Godwit writes into a host's log. The sentences hold no secret and no statement.</summary>
internal static partial class WorkerLog
{
    [LoggerMessage(1, LogLevel.Information, "Godwit works on {Instance} with {Count} migrations; runs are kept in {Store}")]
    public static partial void Ready(this ILogger logger, string instance, int count, string store);

    [LoggerMessage(2, LogLevel.Information, "Godwit lists and steers the runs of {Instance}; other processes work on them")]
    public static partial void NoWorker(this ILogger logger, string instance);

    [LoggerMessage(3, LogLevel.Information, "{Message}")]
    public static partial void News(this ILogger logger, string message);

    [LoggerMessage(4, LogLevel.Warning, "{Message}")]
    public static partial void Trouble(this ILogger logger, string message);

    [LoggerMessage(5, LogLevel.Information, "Run {RunId}: {Message}")]
    public static partial void RunNews(this ILogger logger, string runId, string message);

    [LoggerMessage(6, LogLevel.Warning, "Run {RunId}: {Message}")]
    public static partial void RunTrouble(this ILogger logger, string runId, string message);

    [LoggerMessage(7, LogLevel.Critical, "Godwit's worker met an error that it does not know; it tries again in {Pause}")]
    public static partial void Defect(this ILogger logger, Exception exception, TimeSpan pause);
}
