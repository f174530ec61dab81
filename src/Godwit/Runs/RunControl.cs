using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Godwit.Metadata;
using Godwit.Plans;

namespace Godwit.Runs;

/// <summary>
/// The heartbeat of a run: renews the lease, stores the figures and hands on what people ask for. When the lease is lost or the store
/// fails, the work is cancelled at once and the failure is kept for the runner.
/// </summary>
internal sealed class RunControl(IRunStore store, LeaseKeeper lease, string runId, ProgressBoard board, TimeProvider clock) : IAsyncDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly SemaphoreSlim _requests = new(1);
    private readonly Samples _samples = new(store, lease, clock);
    private RunRequest _taken;
    private CancellationTokenSource? _work;
    private Task? _heartbeat;

    /// <summary>The failure that ended the heartbeat; null while it beats.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>What a person asks for and nobody has answered yet.</summary>
    public RunRequest Request { get; private set; }

    /// <summary>Is told how fast the run may copy, when somebody has said so since it was started.</summary>
    public Action<RowLimit>? Limited { get; set; }

    /// <summary>Called after each beat.</summary>
    public Func<Task>? Beat { get; set; }

    /// <summary>Begins to beat.</summary>
    public void Start() => _heartbeat = Task.Run(BeatAsync);

    /// <summary>A token for a stretch of work: cancelled by a request that interrupts it, by a failure, or by the caller.</summary>
    public CancellationToken BeginWork(CancellationToken ct)
    {
        // Not disposed: the heartbeat may be cancelling it at the moment when the work ends by itself.
        _work = CancellationTokenSource.CreateLinkedTokenSource(ct, _end.Token);
        return _work.Token;
    }

    /// <summary>
    /// Takes a request up. It stays in the store until <see cref="AnswerAsync()"/>, for the next owner to take up when this one dies before the run is
    /// in a state that answers it.
    /// </summary>
    public void Take(RunRequest request) => (_taken, Request) = (request, RunRequest.None);

    /// <summary>Removes the request that was taken up: the run's state, or its journal, says by now what came of it.</summary>
    public Task AnswerAsync() => _taken == RunRequest.None ? Task.CompletedTask : AnswerAsync(_taken);

    /// <summary>Removes a request: it has been answered.</summary>
    public async Task AnswerAsync(RunRequest request)
    {
        await _requests.WaitAsync();
        try
        {
            await store.ClearRequestAsync(lease.Current, request, CancellationToken.None);
            Take(RunRequest.None);
        }
        finally
        {
            _requests.Release();
        }
    }

    /// <summary>Waits until a person asks for something.</summary>
    public async Task<RunRequest> NextRequestAsync(CancellationToken ct)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, _end.Token);
        while (Request == RunRequest.None)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), clock, either.Token);
        }

        return Request;
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        if (_heartbeat is not null)
        {
            await _heartbeat;
        }

        _end.Dispose();
        _requests.Dispose();
    }

    [SuppressMessage("Design", "CA1031", Justification = "A run without a heartbeat loses its lease: whatever ended it ends the work, and the runner throws it.")]
    private async Task BeatAsync()
    {
        try
        {
            while (true)
            {
                var figures = board.Read();
                await lease.RenewAsync(JsonSerializer.Serialize(figures, PlanFormat.Json), CancellationToken.None);
                await _samples.KeepAsync(figures);
                await LookAsync();
                if (await store.FindRowLimitAsync(runId, CancellationToken.None) is { } limit)
                {
                    Limited?.Invoke(limit);
                }

                if (Request is RunRequest.Pause or RunRequest.Stop or RunRequest.Rollback && _work is { IsCancellationRequested: false } work)
                {
                    await work.CancelAsync();
                }

                await (Beat?.Invoke() ?? Task.CompletedTask);
                await Task.Delay(LeaseKeeper.Period / 2, clock, _end.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The run has ended.
        }
        catch (Exception e)
        {
            Failure = e;
            await _end.CancelAsync();
        }
    }

    // One that has been answered while it was being read is not asked again.
    private async Task LookAsync()
    {
        await _requests.WaitAsync();
        try
        {
            var request = await store.GetRequestAsync(runId, CancellationToken.None);
            Request = request == _taken ? RunRequest.None : request;
        }
        finally
        {
            _requests.Release();
        }
    }
}
