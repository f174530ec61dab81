using System.Collections.Concurrent;
using Godwit.Metadata;
using Godwit.Server.Live;
using Godwit.Server.Pages.Parts;

namespace Godwit.Server.Pages;

/// <summary>What the page of a run shows, for the page itself and for those that are open.</summary>
internal sealed class RunPage(Migrator migrator, Fragments fragments, TimeProvider clock)
{
    private const int MostCached = 200;

    /// <summary>The parts of the page that change while it is open.</summary>
    private static readonly Dictionary<string, Type> Regions = new(StringComparer.Ordinal)
    {
        ["head"] = typeof(RunHead),
        ["actions"] = typeof(RunActions),
        ["figures"] = typeof(RunFigures),
        ["curves"] = typeof(RunCurves),
        ["work"] = typeof(RunWork),
        ["errors"] = typeof(RunErrors),
    };

    private readonly ConcurrentDictionary<string, IReadOnlyList<RunSample>> _samples = new(StringComparer.Ordinal);

    /// <summary>Reads it.</summary>
    /// <exception cref="RunNotFoundException">There is no such run.</exception>
    public async Task<RunModel> ReadAsync(string run, CancellationToken ct) => new()
    {
        Status = await migrator.StatusAsync(run, ct),
        Plan = await migrator.PlanAsync(run, ct),
        Samples = await SamplesAsync(run, ct),
        Choices = await migrator.ChoicesAsync(run, ct),
        Now = clock.GetUtcNow(),
    };

    /// <summary>A frame for those who have it open.</summary>
    public async Task<LiveFrame> LookAsync(string run, CancellationToken ct)
    {
        var model = await ReadAsync(run, ct);
        return new LiveFrame(
            await fragments.RenderAsync(model, Regions),
            new Dictionary<string, string>(StringComparer.Ordinal) { ["cells"] = model.Letters, ["steps"] = string.Concat(model.Status.Steps.Select(s => Plain.Word(s.State)[0])), ["title"] = model.Title });
    }

    // They only grow: those that were read once are not read again.
    private async Task<IReadOnlyList<RunSample>> SamplesAsync(string run, CancellationToken ct)
    {
        var known = _samples.GetValueOrDefault(run, []);
        var news = await migrator.SamplesAsync(run, known is [.., var last] ? last.At : null, ct);
        if (news.Count == 0)
        {
            return known;
        }

        if (_samples.Count > MostCached)
        {
            _samples.Clear();
        }

        return _samples[run] = [.. known, .. news];
    }
}
