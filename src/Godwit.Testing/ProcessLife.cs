namespace Godwit.Testing;

/// <summary>
/// Whether a simulated process still lives. Everything that it sends out goes through here; once it is dead, nothing is answered any more, so
/// that whatever waits there waits for ever and is collected with it.
/// </summary>
internal sealed class ProcessLife(Cut? cut) : IDisposable
{
    private readonly SemaphoreSlim _one = new(1);
    private readonly TaskCompletionSource _death = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<Moment> _moments = [];

    /// <summary>Completed when it has died.</summary>
    public Task Death => _death.Task;

    /// <summary>What it has done so far. To be read when it has ended.</summary>
    public IReadOnlyList<Moment> Moments => _moments;

    /// <summary>The moment at which it was disturbed; null when it was not.</summary>
    public Moment? CutAt { get; private set; }

    private static Task Never => new TaskCompletionSource().Task;

    /// <summary>A call to the store, one at a time: when it is dead, none is under way.</summary>
    public async Task<T> CallAsync<T>(Func<Task<T>> call)
    {
        await _one.WaitAsync();
        try
        {
            return await call();
        }
        finally
        {
            _one.Release();
        }
    }

    /// <inheritdoc cref="CallAsync{T}"/>
    public Task CallAsync(Func<Task> call) => CallAsync(async () =>
    {
        await call();
        return true;
    });

    /// <summary>A call to the store that is a moment.</summary>
    public Task WriteAsync(Func<Task> write, string moment) => CallAsync(async () =>
    {
        await write();
        await PassAsync(moment, null);
    });

    /// <summary>Returns if it lives.</summary>
    public Task RequireAliveAsync() => _death.Task.IsCompleted ? Never : Task.CompletedTask;

    /// <summary>A statement has run.</summary>
    /// <returns>Whether its answer arrives.</returns>
    public Task<bool> HasRunAsync(SentStatement statement) => CallAsync(async () =>
    {
        var text = string.Join(' ', statement.Sql.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return await PassAsync($"the server had run {(text.Length > 100 ? $"{text[..99]}…" : text)}", statement);
    });

    /// <summary>For one that has ended alive; at a dead one calls still wait.</summary>
    public void Dispose() => _one.Dispose();

    /// <summary>Does not return, and lets no other call through either, when it dies here.</summary>
    private async Task<bool> PassAsync(string text, SentStatement? statement)
    {
        var moment = new Moment(_moments.Count + 1, text, statement);
        _moments.Add(moment);
        if (cut?.After != moment.Number)
        {
            return true;
        }

        CutAt = moment;
        if (cut.Kind == CutKind.Killed)
        {
            _death.SetResult();
            await Never;
        }

        return false;
    }
}
