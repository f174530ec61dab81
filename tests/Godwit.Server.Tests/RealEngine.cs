using Godwit.Fixtures;
using Xunit;

[assembly: AssemblyFixture(typeof(Godwit.Server.Tests.RealEngine))]
[assembly: TestLimit(10)]

namespace Godwit.Server.Tests;

/// <summary>The engine that all tests share which do not kill theirs; each makes a database of its own.</summary>
public sealed class RealEngine : IAsyncLifetime
{
    /// <summary>The engine; it keeps a query log.</summary>
    public EngineFixture Engine { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Engine = await EngineFixture.StartAsync(hasQueryLog: true);

    public ValueTask DisposeAsync() => Engine.DisposeAsync();
}
