using System.Collections.Concurrent;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Godwit.Tests.Hosting;

/// <summary>A host with Godwit in it, its content root, and what it has logged.</summary>
internal sealed class HostCase : IAsyncDisposable
{
    private readonly Lines _lines = new();
    private readonly HostApplicationBuilder _builder;
    private IHost? _host;
    private bool _isStarted;

    public HostCase(params (string Key, string Value)[] configuration)
    {
        _builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = Folder });
        _builder.Configuration.AddInMemoryCollection(configuration.Select(c => KeyValuePair.Create(c.Key, (string?)c.Value)));
        _builder.Logging.AddProvider(_lines);
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("godwit-host-").FullName;

    public IServiceCollection Services => _builder.Services;

    /// <summary>Built on first use; not started by it.</summary>
    public IHost Host => _host ??= _builder.Build();

    public Migrator Migrator => Host.Services.GetRequiredService<Migrator>();

    /// <summary>Everything that was logged, with its level, and with the run when the message has it as a value.</summary>
    public IReadOnlyList<string> Log => [.. _lines.All];

    public bool HasLogged(string part) => Log.Any(line => line.Contains(part, StringComparison.Ordinal));

    public HostCase With(Action<IServiceCollection> configure)
    {
        configure(Services);
        return this;
    }

    public async Task StartAsync(CancellationToken ct)
    {
        await Host.StartAsync(ct);
        _isStarted = true;
    }

    public async Task<HealthReportEntry> HealthAsync() =>
        (await Host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync()).Entries["godwit"];

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            if (_isStarted)
            {
                await _host.StopAsync();
            }

            _host.Dispose();
        }

        Directory.Delete(Folder, recursive: true);
    }

    private sealed class Lines : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> All { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var run = (state as IEnumerable<KeyValuePair<string, object?>>)?.FirstOrDefault(v => v.Key == "RunId").Value;
            All.Enqueue($"{logLevel}{(run is null ? "" : $" [{run}]")} {formatter(state, exception)}{(exception is null ? "" : $" {exception.Message}")}");
        }

        public void Dispose()
        {
        }
    }
}
