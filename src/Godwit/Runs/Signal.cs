namespace Godwit.Runs;

/// <summary>Wakes whoever waits for it, now or the next time somebody does.</summary>
internal sealed class Signal
{
    private volatile TaskCompletionSource _source = New();

    /// <summary>Wakes those who wait.</summary>
    public void Set() => _source.TrySetResult();

    /// <summary>Returns when it is set, or when the time is over.</summary>
    public async Task WaitAsync(TimeSpan most, TimeProvider clock, CancellationToken ct)
    {
        var source = _source;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var woken = await Task.WhenAny(source.Task, Task.Delay(most, clock, end.Token));
        await end.CancelAsync();
        ct.ThrowIfCancellationRequested();
        if (woken == source.Task)
        {
            Interlocked.CompareExchange(ref _source, New(), source);
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
