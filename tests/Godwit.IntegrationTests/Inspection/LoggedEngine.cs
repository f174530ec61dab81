using Godwit.Fixtures;
using Xunit;

namespace Godwit.IntegrationTests.Inspection;

/// <summary>An engine that keeps a log of its queries.</summary>
public sealed class LoggedEngine : IAsyncLifetime
{
    /// <summary>The engine.</summary>
    public EngineFixture Engine { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Engine = await EngineFixture.StartAsync(hasQueryLog: true);

    public ValueTask DisposeAsync() => Engine.DisposeAsync();
}
