namespace Godwit.Runs;

/// <summary>
/// Lets so many large statements of steps side by side run at once, each when no brake is on. A step that waits for a lane has done
/// everything that comes before its statement, so no lane stands idle.
/// </summary>
internal sealed class Lanes(int width, Brakes brakes) : IDisposable
{
    private readonly SemaphoreSlim _free = new(width);

    // The reason that one lane waits for must not be taken off the board by another.
    private readonly SemaphoreSlim _brakes = new(1);

    /// <summary>Does something in a lane, as soon as one is free.</summary>
    public async Task RunAsync(Func<Task> work, CancellationToken ct)
    {
        await _free.WaitAsync(ct);
        try
        {
            await PassBrakesAsync(ct);
            await work();
        }
        finally
        {
            _free.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _free.Dispose();
        _brakes.Dispose();
    }

    private async Task PassBrakesAsync(CancellationToken ct)
    {
        await _brakes.WaitAsync(ct);
        try
        {
            await brakes.PassAsync(ct);
        }
        finally
        {
            _brakes.Release();
        }
    }
}
