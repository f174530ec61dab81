using Godwit;
using Godwit.Hosting;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Puts Godwit into a host.</summary>
public static class GodwitServiceCollectionExtensions
{
    /// <summary>
    /// Adds <see cref="Migrator"/>, a worker that runs with the host, and the health check <c>godwit</c>. What the host's configuration says is
    /// read first (see <see cref="GodwitOptions"/>), so often nothing but the migrations is left to say.
    /// </summary>
    /// <remarks>
    /// The host does not start when the options or the definitions of migrations are wrong; all that is wrong is told at once. It does start when
    /// ClickHouse or the store is away: the worker's log and the health check say so, and the worker goes on by itself when they are back. When
    /// the host stops, the worker ends the statements of its runs and leaves the runs to another worker, or to its next start.
    /// </remarks>
    /// <param name="services">The services of the host.</param>
    /// <param name="configure">Says the rest.</param>
    /// <returns>The services, for more.</returns>
    /// <example><code>
    /// builder.Services.AddGodwit(godwit =&gt; godwit.Migrations.AddAssembly(typeof(Program).Assembly));
    /// </code></example>
    public static IServiceCollection AddGodwit(this IServiceCollection services, Action<GodwitOptions>? configure = null) =>
        services.AddGodwit((_, options) => configure?.Invoke(options));

    /// <summary>Does the same for options that need services of the host.</summary>
    /// <inheritdoc cref="AddGodwit(IServiceCollection, Action{GodwitOptions}?)"/>
    /// <example><code>
    /// builder.Services.AddGodwit((services, godwit) =&gt; godwit.PostgreSql = services.GetRequiredService&lt;NpgsqlDataSource&gt;());
    /// </code></example>
    public static IServiceCollection AddGodwit(this IServiceCollection services, Action<IServiceProvider, GodwitOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        if (services.All(s => s.ServiceType != typeof(Migrator)))
        {
            services.AddSingleton<IConfigureOptions<GodwitOptions>, GodwitConfiguration>();
            services.AddSingleton<IValidateOptions<GodwitOptions>, GodwitValidation>();
            services.AddGodwit(s => GodwitInstance.Of(s.GetRequiredService<IOptions<GodwitOptions>>().Value, s));
        }

        services.AddOptions<GodwitOptions>().Configure<IServiceProvider>((options, s) => configure(s, options)).ValidateOnStart();
        return services;
    }

    /// <summary>Adds an instance with its worker and its health check.</summary>
    internal static void AddGodwit(this IServiceCollection services, Func<IServiceProvider, GodwitInstance> instance)
    {
        services.AddSingleton(instance);
        services.AddSingleton(s => s.GetRequiredService<GodwitInstance>().Migrator);
        services.AddSingleton<HostedWorker>();
        services.AddHostedService(s => s.GetRequiredService<HostedWorker>());
        services.AddHealthChecks().AddCheck<GodwitHealthCheck>("godwit", HealthStatus.Degraded);
    }
}
